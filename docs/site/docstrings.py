"""Docstrings as mkdocstrings reads them."""

from typing import Any

import griffe


class RunnableExamples(griffe.Extension):
    """The section 'Example:' of this project is 'Examples:' in Google's style."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace('Example:\n', 'Examples:\n')
