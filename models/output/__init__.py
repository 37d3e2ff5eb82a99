"""How commands write: files whole or not at all, Markdown tables, exit statuses."""
