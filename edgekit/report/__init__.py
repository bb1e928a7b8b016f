"""Reports: JSON is the truth; Markdown and one self-contained HTML page are views of it."""
