"""A report as a single HTML file that loads nothing, runs nothing and has no links."""

from collections.abc import Iterator
from html import escape
from typing import Final

from smtp_desk.app.diagnostics.report_text import Section, outcome_text, report_sections
from smtp_desk.core.report import CheckReport

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
       padding: 0 1rem; }
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; opacity: .7; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.outcome { font-size: 1.5rem; font-weight: 600; margin: .25rem 0 1.5rem; }
.said { border-inline-start: 4px solid #b3261e; margin: 0; padding: .25rem 1rem; }
.said.warning { border-color: #9a6700; }
.said p { margin: .25rem 0; overflow-wrap: anywhere; }
.said p:first-child { font-weight: 600; }
pre { background: #8882; border-radius: 6px; font: 13px/1.5 ui-monospace, monospace; margin: 0;
      overflow-wrap: anywhere; padding: .75rem 1rem; white-space: pre-wrap; }
@media print { body { margin: 0; max-width: none; } }
"""
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SMTP Desk report</title>
<style>{style}</style>
</head>
<body>
<h1>SMTP Desk report</h1>
<p class="outcome">{outcome}</p>
{sections}
</body>
</html>
"""


def report_html(report: CheckReport) -> str:
    """Return the report as a whole HTML document, with all its text escaped."""
    sections = "\n".join(part for each in report_sections(report) for part in _section(each))
    return _PAGE.format(style=_STYLE, outcome=escape(outcome_text(report)), sections=sections)


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    lines = [escape(line) for line in section.lines]
    if section.exact:
        yield f"<pre>{chr(10).join(lines)}</pre>"
        return
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    kind = "said" if section.title == "Cause" else "said warning"
    yield f'<div class="{kind}" dir="auto">{paragraphs}</div>'
