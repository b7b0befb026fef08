"""How the site is built: ``make site``. Sphinx reads these names."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generated import fill

import pellucid

project = "Pellucid"
author = "The Pellucid developers"
version = release = pellucid.__version__
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # the anchors that GitHub gives too
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Pellucid"
html_copy_source = False
html_show_sphinx = False

smartquotes = False
highlight_language = "none"  # of blocks that say none
default_role = "py:obj"  # what stands in single backticks is a name of ours where it is one
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def setup(app):
    """Pages that are made of something else are made when they are read."""
    app.connect("source-read", fill)
