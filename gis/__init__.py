"""The core: what a city's field service is. It knows no web, reads no clock and never commits."""
