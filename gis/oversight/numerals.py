"""Chinese dates and numbers as official papers print them. Pure."""

from __future__ import annotations

from datetime import date

_DIGITS = "〇一二三四五六七八九"


def chinese_number(number: int) -> str:
    """1 to 99 in words: 一, 十, 十一, 二十, 二十二."""
    if not 0 < number < 100:
        raise ValueError("1 to 99")
    tens, ones = divmod(number, 10)
    front = ("" if tens == 1 else _DIGITS[tens]) + "十" if tens else ""
    return front + (_DIGITS[ones] if ones else "")


def chinese_date(day: date) -> str:
    """二〇〇九年十一月二十二日."""
    year = "".join(_DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{chinese_number(day.month)}月{chinese_number(day.day)}日"
