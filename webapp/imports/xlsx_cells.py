"""Cells put into a workbook inside its archive: a column of text in the first sheet, red and wrapped, and nothing else."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Mapping
from typing import Any

from lxml import etree

from webapp.imports.excel_reader import column_index

LARGEST_SHEET = 96 << 20
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
LONGEST = 32_000
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=False)


class NotPatched(Exception):
    """This workbook is not put together as expected: it is written anew instead."""


def patched(
    book: zipfile.ZipFile, letters: str, header: int, lines: Mapping[int, str], heading: str
) -> dict[str, bytes]:
    """The parts of the archive that change: the first sheet, and the styles where it has any."""
    try:
        place = _first_sheet(book)
        sheet = etree.fromstring(book.read(place), _PARSER)
        styles = etree.fromstring(book.read("xl/styles.xml"), _PARSER) if "xl/styles.xml" in book.namelist() else None
    except (KeyError, etree.XMLSyntaxError) as error:
        raise NotPatched() from error
    red = _red(styles) if styles is not None else None
    _fill(sheet, letters, {**lines, header: heading}, header, red)
    _widen(sheet, column_index(letters.encode()))
    changed = {place: _bytes(sheet)}
    if styles is not None:
        changed["xl/styles.xml"] = _bytes(styles)
    return changed


def _bytes(tree: Any) -> bytes:
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True))


def _first_sheet(book: zipfile.ZipFile) -> str:
    root = etree.fromstring(book.read("xl/workbook.xml"), _PARSER)
    first = root.find(f".//{{{MAIN}}}sheet")
    if first is None:
        raise NotPatched()
    relations = etree.fromstring(book.read("xl/_rels/workbook.xml.rels"), _PARSER)
    for relation in relations.iter(f"{{{RELATIONS}}}Relationship"):
        if relation.get("Id") == first.get(R_ID):
            target = relation.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    raise NotPatched()


def _red(styles: Any) -> str | None:
    """A style more: red, wrapped. Its number."""
    fonts, formats = styles.find(f"{{{MAIN}}}fonts"), styles.find(f"{{{MAIN}}}cellXfs")
    if fonts is None or formats is None:
        return None
    font = etree.SubElement(fonts, f"{{{MAIN}}}font")
    etree.SubElement(font, f"{{{MAIN}}}sz", val="11")
    etree.SubElement(font, f"{{{MAIN}}}color", rgb="FFB42318")
    etree.SubElement(font, f"{{{MAIN}}}name", val="Calibri")
    number = len(fonts.findall(f"{{{MAIN}}}font"))
    fonts.set("count", str(number))
    form = etree.SubElement(formats, f"{{{MAIN}}}xf", numFmtId="0", fontId=str(number - 1), fillId="0", borderId="0",
                            xfId="0", applyFont="1", applyAlignment="1")  # fmt: skip
    etree.SubElement(form, f"{{{MAIN}}}alignment", wrapText="1", vertical="top")
    made = len(formats.findall(f"{{{MAIN}}}xf"))
    formats.set("count", str(made))
    return str(made - 1)


def _fill(sheet: Any, letters: str, texts: Mapping[int, str], header: int, red: str | None) -> None:
    data = sheet.find(f"{{{MAIN}}}sheetData")
    if data is None:
        raise NotPatched()
    number = 0
    for row in data.iterfind(f"{{{MAIN}}}row"):
        number = int(row.get("r") or number + 1)
        for cell in row.findall(f"{{{MAIN}}}c"):
            if cell.get("r") == f"{letters}{number}":
                row.remove(cell)  # what we said last time
        if number not in texts:
            continue
        row.attrib.pop("spans", None)
        cell = etree.Element(f"{{{MAIN}}}c", r=f"{letters}{number}", t="inlineStr")
        if red is not None:
            cell.set("s", red)
        said = etree.SubElement(etree.SubElement(cell, f"{{{MAIN}}}is"), f"{{{MAIN}}}t")
        said.text = texts[number][:LONGEST]
        said.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        row.insert(_place(row, letters), cell)


def _place(row: Any, letters: str) -> int:
    """Cells of a row stand in the order of their columns."""
    wanted = column_index(letters.encode())
    for n, cell in enumerate(row):
        told = (cell.get("r") or "").rstrip("0123456789")
        if told and column_index(told.encode()) > wanted:
            return n
    return len(row)


def _widen(sheet: Any, column: int) -> None:
    """The dimension reaches the new column, and the column is wide enough to read; what others set is left."""
    dimension = sheet.find(f"{{{MAIN}}}dimension")
    if dimension is not None:
        sheet.remove(dimension)  # optional, and wrong now
    columns = sheet.find(f"{{{MAIN}}}cols")
    if columns is None:
        columns = etree.Element(f"{{{MAIN}}}cols")
        data = sheet.find(f"{{{MAIN}}}sheetData")
        data.addprevious(columns)
    if any(int(c.get("max", "0")) >= column for c in columns):
        return
    etree.SubElement(columns, f"{{{MAIN}}}col", min=str(column), max=str(column), width="60", customWidth="1")
