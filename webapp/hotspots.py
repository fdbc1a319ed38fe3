"""The planner's page: where complaints gather, and whether that is more than chance. The URL is the view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.hotspots import compared, sheet_queries, works
from gis.hotspots.rules import DRAWN_MAX, Measure
from webapp import charts, hotspot_files, hotspot_maps
from webapp import filters as filtering
from webapp import hotspot_views as views
from webapp.access import db, needs, now, scope
from webapp.hotspot_views import Answer, View
from webapp.i18n import message

if TYPE_CHECKING:
    from webapp.maps import SafeMap

pages = Blueprint("hotspots", __name__)
PAGE_ROWS = 100
CHART_DAYS = 400
# Stored text cannot run in the frame (webapp/maps.py); if it ever did, it would run without an origin, cookies or network.
FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@pages.get("/hotspots")
@needs("see_hotspots")
def index() -> Any:
    """Filters, map, legend, table. Without a period: the week up to the latest complaint, written into the URL."""
    if not (request.args.get("from") and request.args.get("to")):
        return redirect(url_for("hotspots.index", **(views.arguments() | views.latest_week())))
    problem, answer, view = "", Answer(None, [], []), None
    try:
        view = views.view()
        answer = views.answer(view)
    except ChengmaiError as error:
        problem = message(error)
    status = 422 if problem else 200
    return render_template("hotspots/index.html", **_page(view, answer, problem)), status


@pages.get("/hotspots/map")
@needs("see_hotspots")
def frame() -> Response:
    """The map alone, for the page's sandboxed frame."""
    view = views.view()
    answer = views.answer(view)
    drawn = _drawn(view, answer, _("Hotspots"))
    reply = Response(drawn.html(), mimetype="text/html")
    reply.headers["Content-Security-Policy"] = FRAME_POLICY
    reply.headers["X-Frame-Options"] = "SAMEORIGIN"
    return reply


def _drawn(view: View, answer: Answer, title: str) -> SafeMap:
    """The map of a view, with what was made of hotspots before."""
    if answer.found is None:
        return hotspot_maps.draw(db(), answer, view.measure, views.language(), title)
    done = works.listing(db(), scope(), view.first, view.last)
    became = works.became(db(), done, scope(), now(), filtering.zone())
    return hotspot_maps.draw(db(), answer, view.measure, views.language(), title, list(zip(done, became, strict=True)))


@pages.get("/hotspots.html")
@needs("export")
def as_html() -> Response:
    """The same view as one page that opens on any computer, without network or server."""
    return _export("html")


@pages.get("/hotspots.xlsx")
@needs("export")
def as_xlsx() -> Response:
    """The same rows for Excel."""
    return _export("xlsx")


@pages.get("/hotspots.geojson")
@needs("export")
def as_geojson() -> Response:
    """The same rows as polygons."""
    return _export("geojson")


@pages.get("/hotspots.gpkg")
@needs("export")
def as_gpkg() -> Response:
    """The same rows for any GIS."""
    return _export("gpkg")


@pages.get("/hotspots.png")
@needs("export")
def as_png() -> Response:
    """The map as a picture, for the bulletin."""
    return _export("png")


@pages.get("/hotspots.pdf")
@needs("export")
def as_pdf() -> Response:
    """Map, legend and the strongest rows on paper."""
    return _export("pdf")


def _export(kind: str) -> Response:
    """The file of this view. With `public=1`, one that anybody may read: no cell of fewer than five complaints is in it."""
    view = views.view()
    public = request.args.get("public") == "1"
    answer = views.answer(view, public)
    told = hotspot_files.Told(views.title(view), views.lines(view, answer, public), view.measure, views.language())
    body, mimetype = hotspot_files.write(kind, db(), answer, told)
    name = f"hotspots_{view.first}_{view.last}{'_public' if public else ''}.{kind}"
    return Response(
        body,
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Robots-Tag": "none"},
    )


def _page(view: View | None, answer: Answer, problem: str) -> dict[str, Any]:
    """Everything the template shows."""
    pages_most = max(1, -(-len(answer.cells) // PAGE_ROWS))
    page = min(filtering.number("page", 1, 1, 10**6), pages_most)
    start = (page - 1) * PAGE_ROWS
    measure = view.measure if view else Measure.SIGNIFICANCE
    return views.frame_of(view) | {
        "problem": problem, "found": answer.found, "all_rows": len(answer.cells), "page": page, "pages_most": pages_most,
        "rows": list(zip(answer.cells, answer.names, strict=True))[start : start + PAGE_ROWS], "page_rows": PAGE_ROWS,
        "legend": hotspot_maps.legend_of(answer.found, measure), "kind_of": hotspot_maps.kind_of(answer.found, measure),
        "label_words": hotspot_maps.LABEL_WORDS, "course_words": hotspot_maps.COURSE_WORDS, "figure": hotspot_maps.figure,
        "chance": hotspot_maps.chance, "drawn_most": DRAWN_MAX, "tally": _tally(answer, measure),
        "hot": sum(1 for c in answer.cells if c.label.startswith("hot_")),
        "study_area": views.study_area(answer.found) if answer.found else "", "method": views.method(view) if view else "",
        "focus": filtering.number("cell_no", 0, 0, 10**7), "tab": "index",
        "compared": _compared(view) if view and not problem else None, "chart": _chart(view) if view and not problem else "",
    }  # fmt: skip


def _tally(answer: Answer, measure: Measure) -> dict[str, int]:
    """How many cells carry each kind of the legend."""
    tally: dict[str, int] = {}
    kind = hotspot_maps.kind_of(answer.found, measure)
    for cell in answer.cells:
        tally[kind(cell)] = tally.get(kind(cell), 0) + 1
    return tally


def _compared(view: View) -> compared.Compared:
    return compared.compare(db(), view.filters, scope(), now(), views.span(view), filtering.zone())


def _chart(view: View) -> Any:
    """Day by day beside the same dates of last year: for what the sheets know, and as many days as a chart can show."""
    asked = views.span(view)
    if not 3 <= asked.days <= CHART_DAYS or not sheet_queries.answers(db(), view.filters, scope()):
        return ""
    zone = filtering.zone()
    this = compared.daily(db(), view.filters, scope(), asked, zone)
    earlier = compared.year_before(asked)
    then = compared.daily(db(), view.filters, scope(), earlier, zone)
    rows = [
        {"day": day.isoformat(), "received": a, "closed": b}
        for day, a, b in zip(asked.every(), this, [*then, 0], strict=False)
    ]
    return charts.trend(
        rows, _("This period"), _("Same dates last year"), _("Complaints by day, and of the same dates last year")
    )
