"""The Word template of a supervision notice, made by code: nothing binary is kept in the repository.

The page layout is that of official papers (GB/T 9704: A4, 37 mm above, 28 mm left, text 156 mm wide, body 三号仿宋). A bureau takes
this file away, changes it in Word and puts it back; the `{{ names }}` in it are filled in for each notice.
"""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

BODY, HEAD, BLACK = "仿宋", "方正小标宋简体", "黑体"
# A free font that Word and other programs take where the bureau's own is not installed.
SUBSTITUTES = {BODY: "Noto Serif CJK SC", HEAD: "Noto Serif CJK SC", BLACK: "Noto Sans CJK SC"}
RED = RGBColor(0xC8, 0x10, 0x1E)
COLUMNS = (("{{ labels.no }}", 32), ("{{ labels.place }}", 34), ("{{ labels.matter }}", 58), ("{{ labels.due }}", 32))


def template() -> bytes:
    """The template as a .docx file."""
    paper = Document()
    _page(paper)
    _line(paper, "{{ issuer }}", HEAD, 36, color=RED, after=4)
    _line(paper, "{{ title }}", HEAD, 26, color=RED, after=10)
    _rule(_line(paper, "{{ no }}", BODY, 16, after=14))
    _line(paper, "{{ to }}：", BODY, 16, align=WD_ALIGN_PARAGRAPH.LEFT)
    for text in ("{{ facts }}", "{{ demand }}"):
        _paragraph(paper, text)
    _control(paper, "{%p for line in extra %}")
    _paragraph(paper, "{{ line }}")
    _control(paper, "{%p endfor %}")
    _cases(paper)
    _line(paper, "{{ issuer }}", BODY, 16, align=WD_ALIGN_PARAGRAPH.RIGHT, before=30, right=32)
    _line(paper, "{{ date }}", BODY, 16, align=WD_ALIGN_PARAGRAPH.RIGHT, right=32)
    _line(paper, "{{ labels.seal }}", BODY, 16, align=WD_ALIGN_PARAGRAPH.RIGHT, right=64, after=16)
    _slip(paper)
    _fonts(paper)
    made = io.BytesIO()
    paper.save(made)
    return made.getvalue()


def _page(paper: Any) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    normal = paper.styles["Normal"]
    normal.font.size = Pt(16)
    _face(normal.element.get_or_add_rPr(), BODY)
    paper.core_properties.title, paper.core_properties.author = "督办通知单", ""
    paper.core_properties.comments = ""


def _face(properties: Any, font: str) -> None:
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(kind), font)


def _line(
    place: Any, text: str, font: str, size: float, *, color: RGBColor | None = None, before: float = 0, after: float = 0,
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.CENTER, right: float = 0, spacing: float | None = None,
) -> Any:  # fmt: skip
    made = place.add_paragraph()
    run = made.add_run(text)
    run.font.size = Pt(size)
    _face(run._r.get_or_add_rPr(), font)
    if color is not None:
        run.font.color.rgb = color
    style = made.paragraph_format
    made.alignment = align
    style.space_before, style.space_after, style.right_indent = Pt(before), Pt(after), Pt(right)
    if size <= 16:
        style.line_spacing_rule, style.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(spacing or 28)
    return made


def _paragraph(paper: Any, text: str) -> None:
    _line(paper, text, BODY, 16, align=WD_ALIGN_PARAGRAPH.JUSTIFY).paragraph_format.first_line_indent = Pt(32)


def _control(paper: Any, text: str) -> None:
    """A line that only steers the template; it is gone from the finished paper."""
    paper.add_paragraph(text)


def _rule(paragraph: Any) -> None:
    """The red line under the number."""
    paragraph._p.get_or_add_pPr().append(parse_xml(
        f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="18" w:space="6" w:color="C8101E"/></w:pBdr>'
    ))  # fmt: skip


def _cell(cell: Any, text: str, font: str = BODY, *, align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT) -> None:
    cell.paragraphs[0]._p.getparent().remove(cell.paragraphs[0]._p)
    _line(cell, text, font, 10.5, align=align, spacing=16)


def _cases(paper: Any) -> None:
    """One row per complaint: `{%tr … %}` rows repeat the row between them."""
    table = paper.add_table(rows=4, cols=len(COLUMNS), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for row in table.rows:
        for cell, (_, width) in zip(row.cells, COLUMNS, strict=True):
            cell.width = Mm(width)
    for cell, (title, _) in zip(table.rows[0].cells, COLUMNS, strict=True):
        _cell(cell, title, BLACK, align=WD_ALIGN_PARAGRAPH.CENTER)
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))
    table.rows[1].cells[0].text = "{%tr for case in cases %}"
    for cell, text in zip(
        table.rows[2].cells, ("{{ case.no }}", "{{ case.place }}", "{{ case.matter }}", "{{ case.due }}"), strict=True
    ):
        _cell(cell, text)
    table.rows[2]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    table.rows[3].cells[0].text = "{%tr endfor %}"


def _slip(paper: Any) -> None:
    """The reply slip that the unit fills in by hand and sends back."""
    _line(paper, "{{ labels.slip }}", BLACK, 14, before=6, after=6)
    table = paper.add_table(rows=3, cols=4, style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for row in table.rows:
        for cell, width in zip(row.cells, (30, 48, 30, 48), strict=True):
            cell.width = Mm(width)
    texts = (("{{ labels.unit }}", "{{ to }}", "{{ labels.papers }}", "{{ no }}"),
             ("{{ labels.signer }}", "", "{{ labels.signed_at }}", ""), ("{{ labels.result }}", "", "", ""))  # fmt: skip
    for row, cells in zip(table.rows, texts, strict=True):
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for n, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
            _cell(cell, text, BLACK if n % 2 == 0 else BODY)
    table.rows[2].cells[1].merge(table.rows[2].cells[3])
    table.rows[2].height = Mm(34)


def _fonts(paper: Any) -> None:
    """Name a free substitute for each font, in the document's own font table."""
    part = next(rel.target_part for rel in paper.part.rels.values() if rel.reltype == RELATIONSHIP_TYPE.FONT_TABLE)
    table = parse_xml(part.blob)
    for name, other in SUBSTITUTES.items():
        table.append(parse_xml(
            f'<w:font {nsdecls("w")} w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        ))  # fmt: skip
    from lxml import etree

    part._blob = etree.tostring(table, xml_declaration=True, encoding="UTF-8", standalone=True)
