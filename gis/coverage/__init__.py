"""Coverage: cameras, monitoring blind spots and weak mobile signal."""
