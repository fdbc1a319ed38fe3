"""What can be wrong with a file, its header, a row or a mapping. Messages never hold what a caller said about themselves."""

from __future__ import annotations

from gis.errors import BadInput, Conflict, TooLarge


class FileUnreadable(BadInput):
    """This file cannot be read as %(kind)s: %(reason)s"""

    code = "file_unreadable"


class EmptyFile(BadInput):
    """This file is empty."""

    code = "empty_file"


class HeaderOnly(BadInput):
    """This file has a header but not one row."""

    code = "header_only"


class BadEncoding(BadInput):
    """This is not %(encoding)s text, from byte %(byte)s on; save the file as UTF-8 or GB18030 and say which in the mapping."""

    code = "bad_encoding"


class ArchiveTooLarge(TooLarge):
    """Unpacked, this workbook is larger than %(limit)s; save it as CSV."""

    code, status = "archive_too_large", 413


class SheetTooLarge(TooLarge):
    """This sheet spans %(rows)s rows and %(columns)s columns; at most %(limit)s cells are read. Save it as CSV."""

    code, status = "sheet_too_large", 413


class WorkbookLocked(BadInput):
    """This workbook has a password; save it without."""

    code = "workbook_locked"


class NoSuchSheet(BadInput):
    """There is no sheet or layer %(name)s; the file has: %(found)s."""

    code = "no_such_sheet"


class WrongColumns(BadInput):
    """The header fits no mapping that ships with Chengmai (missing: %(missing)s); name a mapping with --mapping."""

    code = "wrong_columns"


class MissingColumn(BadInput):
    """The column %(column)s is missing; the file has: %(found)s."""

    code = "missing_column"


class UnknownColumn(BadInput):
    """The column %(column)s is not one of the mapping; remove it or add it to the mapping."""

    code = "unknown_column"


class DoubledColumn(BadInput):
    """The column %(column)s stands twice in the header."""

    code = "doubled_column"


class BadMapping(BadInput):
    """The mapping is wrong at %(where)s: %(reason)s"""

    code = "bad_mapping"


class RaggedRow(BadInput):
    """This row has %(cells)s cells, the header has %(columns)s."""

    code = "ragged_row"


class BrokenQuotes(BadInput):
    """In row %(row)s a quotation mark is not closed, or a cell is far too large; reading stopped there."""

    code = "broken_quotes"


class NulCharacter(BadInput):
    """This cell holds a NUL character."""

    code = "nul_character"


class BadDatetime(BadInput):
    """This is not a date and time of the mapping: %(value)s"""

    code = "bad_datetime"


class NotANumber(BadInput):
    """This is not a number that can be used: %(value)s"""

    code = "not_a_number"


class HalfCoordinates(BadInput):
    """One of longitude and latitude is missing."""

    code = "half_coordinates"


class OutsideExtent(BadInput):
    """This point lies outside the extent that the mapping declares: %(lon)s, %(lat)s."""

    code = "outside_extent"


class UnknownWord(BadInput):
    """%(value)s is not a known %(field)s."""

    code = "unknown_word"


class DuplicateInFile(BadInput):
    """The same number already stands in row %(first)s."""

    code = "duplicate_in_file"


class Differs(Conflict):
    """This number is already kept with other content; nothing is overwritten."""

    code = "differs"


class AcceptedBefore(Conflict):
    """This number of this channel was accepted before as %(number)s."""

    code = "accepted_before"


class DatabaseRefused(BadInput):
    """The database refused this import; nothing was kept: %(reason)s"""

    code = "database_refused"


class WrongGeometryKind(BadInput):
    """%(kind)s cannot be used here; needed: %(needed)s."""

    code = "wrong_geometry_kind"


class CoordinatesMissing(BadInput):
    """This row has no place."""

    code = "coordinates_missing"


class CrsMissing(BadInput):
    """The file does not say its coordinate system; declare it in the mapping (crs)."""

    code = "crs_missing"


class CrsContradicted(BadInput):
    """The file declares %(crs)s, but its coordinates (%(x)s, %(y)s) cannot be of that system."""

    code = "crs_contradicted"
