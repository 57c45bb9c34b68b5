"""The geometry of charts, which templates draw as SVG on the server.

So a page is complete when it arrives: nothing runs in the browser to draw it, a strict content security policy applies,
and each bar and day is an element with a title and a link. The browser stretches the width, so labels are HTML.
"""
