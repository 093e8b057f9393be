"""What all pages share: the stack, its clients, the store, the templates, the live updates."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console import words
from console.installation import ConsoleClients, Installation
from console.live import Hub
from console.recent import DEPLOYED, LOCAL, RecentMessages
from messaging.store import Store

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class ConsoleContext:
    """Passed to every page."""

    installation: Installation
    clients: ConsoleClients
    hub: Hub

    @cached_property
    def store(self) -> Store:
        return Store(self.clients.table, self.installation.messages_table)

    @cached_property
    def recent(self) -> RecentMessages:
        return RecentMessages(self.store, LOCAL if self.installation.local else DEPLOYED)

    @cached_property
    def templates(self) -> Environment:
        made = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.filters |= words.FILTERS
        made.globals |= {"installation": self.installation}
        return made

    def render(self, template: str, **values: Any) -> str:  # noqa: ANN401 - what the template needs
        return self.templates.get_template(template).render(**values)

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        **values: Any,  # noqa: ANN401 - as above
    ) -> HTMLResponse:
        """A whole page; the path of `request` marks the current entry of the menu."""
        return HTMLResponse(self.render(template, path=request.url.path, **values), status)
