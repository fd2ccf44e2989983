"""The page on the HTTP port: try it, watch it live, look at recordings.

routes.py      the page's files, what it has to know, and its headers
recordings.py  the recordings that it may open
static/        the page: HTML, CSS and ES modules, served as they are
"""
