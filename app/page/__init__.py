"""The page: the only package that knows Gradio. `serve(options)` opens it."""

import os

from app.options import ServeOptions

# Read by Gradio and its libraries when they are imported: neither the page nor the server contacts other hosts.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "200")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def serve(options: ServeOptions) -> None:
    """Serves the page until it is interrupted. UserError where the address is taken or a setting is wrong."""
    from app.page.server import serve_page as run

    run(options)
