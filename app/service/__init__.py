"""What runs behind the page: sessions, queues, caches and uploads. Knows no Gradio."""
