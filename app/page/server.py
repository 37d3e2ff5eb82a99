"""Starts the page: Gradio's application behind the security middleware, and the routes for uploads."""

import asyncio
import contextlib
import logging
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Iterator

import gradio as gr
import matplotlib as mpl
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect

from app.options import ServeOptions
from app.page.assets import load_static_files, page_head_html, preload_link_header, static_files_digest
from app.page.connection_limits import connection_limiting_protocol
from app.page.event_messages import EventValidationMiddleware
from app.page.events import PageEvents
from app.page.layout import THEME, GradioPageLayout
from app.page.link_preview import ICON_PATH, PREVIEW_PATH, LinkPreviewMiddleware, preview_png, web_app_manifest
from app.page.page_address import EVERYWHERE, network_address, page_address_for_others, page_address_of_request, qr_code_svg, qr_code_text
from app.page.request_bodies import ProxySettings
from app.page.security import MODEL_PATH, PICTURE_PATH, SecurityMiddleware
from app.page.unread_messages import UnreadMessages
from app.preview_image import icon_png
from app.service.services import Services
from app.service.stores.model_uploads import ModelUploads
from app.service.stores.picture_uploads import PictureUploads
from errors import UserError

log = logging.getLogger(__name__)


def serve_page(options: ServeOptions) -> None:
    """Serves the page until it is interrupted. UserError where the address is taken or a setting is wrong."""
    with _listening(options.host, options.port) as listener:
        host, port = listener.getsockname()[:2]
        app = create_application(options, network_address(host, port))
        address = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
        config = uvicorn.Config(
            app,
            log_level="warning",
            timeout_graceful_shutdown=2,
            server_header=False,
            h11_max_incomplete_event_size=32_768,
            http=connection_limiting_protocol(count_addresses=options.proxies == 0),
            proxy_headers=False,  # the security middleware reads the visitor's address, where --proxies says that there is one to read
        )
        server = uvicorn.Server(config)
        threading.Thread(target=_announce, args=(server, address, network_address(host, port), options.open_browser), daemon=True).start()
        server.run(sockets=[listener])


def create_application(options: ServeOptions, network: str = "") -> FastAPI:
    """The page as an ASGI application; the first classifier starts to load with it. network: its address for others, as is known here."""
    # Around every event Gradio changes to this backend and back; while another thread imports pyplot, that change would fail the event.
    mpl.use("agg")
    services = Services.build(options)
    events = PageEvents(services)
    blocks = GradioPageLayout(events, options.title).blocks
    events.unread = unread = UnreadMessages(blocks)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        eviction = asyncio.create_task(events.evict_regularly())
        yield
        eviction.cancel()
        services.close()

    # A CORSMiddleware that allows nobody: Gradio then adds none of its own, which would echo every origin.
    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(
                SecurityMiddleware,
                host=options.host,
                link=preload_link_header(),
                proxies=ProxySettings(options.proxies, options.proxy_header),
            ),
            Middleware(LinkPreviewMiddleware, title=options.title, behind_proxy=options.proxies > 0),
            Middleware(EventValidationMiddleware, functions=frozenset(blocks.fns), too_many=unread.too_many),
            Middleware(CORSMiddleware),
        ],
    )
    _add_routes(app, services.uploads)
    _add_identity_routes(app, options, network)
    if services.model_uploads:
        _add_model_route(app, services.model_uploads)
    blocks.queue(api_open=False, max_size=4 * (options.queue + options.concurrency) + 40, default_concurrency_limit=None)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_file_size=1,
        show_error=False,
        ssr_mode=False,
        theme=THEME,
        head=page_head_html(tuple(services.methods.values()), "crosscheck/address.svg" if network or options.proxies else ""),
    )
    return mounted


def _add_routes(app: FastAPI, uploads: PictureUploads) -> None:
    @app.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/crosscheck/{digest}/{name:path}")
    async def static(request: Request, digest: str, name: str) -> Response:
        file = load_static_files().get(name) if digest == static_files_digest() else None
        if file is None:
            return JSONResponse({"error": "This page has no such address."}, 404)
        headers = {"Cache-Control": "max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.content, media_type=file.media_type, headers=headers)
        return Response(file.gzipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})

    @app.post(PICTURE_PATH)
    async def picture(request: Request, name: str = "") -> JSONResponse:
        try:
            data = await request.body()
        except ClientDisconnect:  # gone, or cut off by the middleware, which then answers
            return JSONResponse({"error": "The picture did not arrive; choose it again."}, 400)
        if not data:
            return JSONResponse({"error": "The file is empty; choose a picture."}, 400)
        return JSONResponse({"token": uploads.put(data, name[:80] or "picture", _address(request))})


def _add_identity_routes(app: FastAPI, options: ServeOptions, network: str) -> None:
    """What names the page to others: its icon, the picture of a shared link, its address."""
    kept = {"Cache-Control": "max-age=86400"}

    @app.get("/favicon.ico")
    @app.get(ICON_PATH)
    async def icon() -> Response:
        return Response(icon_png(), media_type="image/png", headers=kept)

    @app.get(PREVIEW_PATH)
    async def preview() -> Response:
        return Response(await asyncio.to_thread(preview_png, options.title), media_type="image/png", headers=kept)

    @app.get("/manifest.json")
    async def manifest() -> Response:
        return Response(web_app_manifest(options.title), media_type="application/manifest+json", headers=kept)

    @app.get("/crosscheck/address.{kind}")
    async def address(request: Request, kind: str) -> Response:
        found = page_address_for_others(page_address_of_request(request.scope, options.proxies > 0), network)
        if not found:
            return JSONResponse({"error": "This page serves its own machine alone; start it with --host 0.0.0.0 to let others in."}, 404)
        headers = {"Cache-Control": "no-store"}
        if kind == "json":
            return JSONResponse({"address": found}, headers=headers)
        return Response(qr_code_svg(found), media_type="image/svg+xml", headers=headers)


def _add_model_route(app: FastAPI, uploads: ModelUploads) -> None:
    @app.post(MODEL_PATH)
    async def model(request: Request, name: str = "") -> JSONResponse:
        try:
            token, file = uploads.reserve(name, _address(request))
        except UserError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            with file.open("wb") as arriving:
                async for part in request.stream():
                    await asyncio.to_thread(arriving.write, part)
        except (ClientDisconnect, OSError):  # gone, cut off by the middleware, which then answers, or a full disk
            uploads.remove(token)
            return JSONResponse({"error": "The model did not arrive; bring it again."}, 400)
        try:
            uploads.arrived(token)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse({"token": token})


def _address(request: Request) -> str:
    """The visitor's, as the security middleware has found it."""
    return request.client.host if request.client else ""


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UserError(
            f"The page cannot listen on {host}:{port} ({error.strerror or error}); choose another with --host or --port."
        ) from error
    with listener:
        yield listener


def _announce(server: uvicorn.Server, address: str, network: str, open_browser: bool) -> None:
    while not server.started:
        if server.should_exit:
            return
        threading.Event().wait(0.02)
    print(f"Crosscheck is at {address}  (Ctrl+C ends it)", flush=True)
    if network:
        print(f"On this network it is at {network}", flush=True)
        if sys.stdout.isatty():
            print(qr_code_text(network), flush=True)
    if open_browser:
        webbrowser.open(address)
