#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `make html`, in a browser: each manual page is there and in the index, and each link leads to a
# page, and to a place in it, that is there.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

command -v mandoc >/dev/null || t_skip_all 'no mandoc here'
[ -x "$PYTHON" ] || t_skip_all "needs $PYTHON"
for BROWSER in chromium chromium-browser google-chrome ''; do
	! command -v "$BROWSER" >/dev/null || break
done
[ -n "$BROWSER" ] || t_skip_all 'no chromium here'

# dom FILE: the page as the browser has it
dom()
{
	HOME=$T_DIR timeout 600 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$T_DIR/browser" --dump-dom "file://$1" 2>"$T_DIR/browser.log"
}

echo '<p id="here">it reads pages</p>' >"$T_DIR/try.html"
dom "$T_DIR/try.html" | grep -q 'id="here"' ||
	t_skip_all "$BROWSER does not run here: $(tail -n 1 "$T_DIR/browser.log")"

HTML=$T_DIR/html
t_ok 'make html' make -s html HTML="$HTML"
mkdir "$T_DIR/dom"
pages=(man/*.[0-9])
for page in "${pages[@]##*/}" index; do
	dom "$HTML/$page.html" >"$T_DIR/dom/$page.html"
	t_ok "$page: the browser has it to its end" grep -q '</html>' "$T_DIR/dom/$page.html"
	t_ok "$page: has the stylesheet" grep -q 'href="manual.css"' "$T_DIR/dom/$page.html"
done
t_is 'the index leads to each page' "$(printf '%s.html\n' "${pages[@]##*/}" | sort)" \
	"$(grep -oE '<a href="[^"]*"' "$T_DIR/dom/index.html" | cut -d '"' -f 2 | sort)"
t_is 'the index has what each page is about' "$(sed -n 's/^\.Nd //p' "${pages[@]}" | sort)" \
	"$(grep -oE '<dd>[^<]*' "$T_DIR/dom/index.html" | sed 's/<dd>//' | sort)"

# broken FOLDER: links of its pages that lead nowhere
broken()
{
	"$PYTHON" - "$1" "$HTML" <<'END'
import os, sys
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag in ("a", "link") and attrs.get("href") is not None:
            self.links.append(attrs["href"])

pages = {name: Page(os.path.join(sys.argv[1], name)) for name in os.listdir(sys.argv[1])}
for name, page in sorted(pages.items()):
    for link in page.links:
        target, place = urldefrag(link)
        target = target or name
        if target in pages:
            if place and unquote(place) not in pages[target].ids:
                print(f"{name}: no {place} in {target}")
        elif place or not os.path.exists(os.path.join(sys.argv[2], target)):
            print(f"{name}: no {link}")
print(sum(len(page.links) for page in pages.values()), file=sys.stderr)
END
}

t_is 'each link leads somewhere' '' "$(broken "$T_DIR/dom" 2>"$T_DIR/links")"
t_ok "$(cat "$T_DIR/links") links were followed" test "$(cat "$T_DIR/links")" -ge 300
cp -r "$T_DIR/dom" "$T_DIR/changed"
sed -i 's/id="Outcomes"/id="Outcome"/' "$T_DIR/changed/xdp-portblock.8.html"
sed -i 's/href="libportblock.3.html"/href="libportblock.html"/' "$T_DIR/changed/index.html"
t_is 'a link that leads nowhere is noticed' 'index.html: no libportblock.html
xdp-portblock.8.html: no Outcomes in xdp-portblock.8.html' \
	"$(broken "$T_DIR/changed" 2>/dev/null | sort -u)"
t_done
