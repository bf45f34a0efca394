"""The report of one site, as text and as a self-contained page: a pure function of analysis and advice."""

from energy_analytics.report.page import render_html, render_text

__all__ = ["render_html", "render_text"]
