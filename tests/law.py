"""What the table of steps asks for, as tests give it."""

SAMPLES = {
    "text": "因为",
    "measure": "停工",
    "days": 3,
    "unit": 7,
    "crew": 7,
    "complaint": 7,
    "flag": True,
    "moment": "2009-11-17T10:00:00+08:00",
}


def sample(field):
    """Something that this field accepts."""
    return field.choices[0] if field.kind == "choice" else SAMPLES[field.kind]
