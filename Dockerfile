# docker build -t crosscheck . && docker run --rm -p 7860:7860 crosscheck
# A model of your own: docker run --rm -p 7860:7860 -v "$PWD/models-of-mine:/models:ro" crosscheck --model /models/mine.keras
# docs/hosting.md says more.
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/crosscheck

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY --chown=user . .
USER 1000

# MobileNetV2's ImageNet weights, so that nobody waits for them. Without a way to their address: --build-arg FETCH=no
ARG FETCH=yes
ENV CROSSCHECK_CACHE=/home/user/.cache/crosscheck
RUN if [ "$FETCH" = yes ]; then python -m app fetch; fi

# Nothing is reported while the page runs, and only what its host names is fetched, such as --model hf://owner/name.
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HUB_DISABLE_TELEMETRY=1 \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=4)"]

ENTRYPOINT ["python", "-m", "app"]
