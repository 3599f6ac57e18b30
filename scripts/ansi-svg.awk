# SPDX-License-Identifier: GPL-2.0-only
# A terminal's text with colours, as an SVG.
BEGIN {
	WIDTH = 8; HEIGHT = 18; FONT = 13
	split("30 31 32 33 34 35 36 37 90 97", codes)
	split("#111 #e55 #7c7 #db4 #68f #d6d #6cc #ccc #888 #fff", colors)
	for (i in codes)
		color[codes[i]] = colors[i]
	for (i = 30; i <= 37; i++)
		background[i + 10] = color[i]
	background[41] = "#c22"; background[42] = "#4a4"; background[44] = "#35c"; background[45] = "#b3b"
}

function plain() { fill = "#ccc"; behind = ""; weight = "normal" }

function apply(sequence,    parts, n, i)
{
	n = split(sequence, parts, ";")
	for (i = 1; i <= n; i++) {
		if (parts[i] + 0 == 0)
			plain()
		else if (parts[i] == 1)
			weight = "bold"
		else if (parts[i] == 2)
			fill = "#888"
		else if (parts[i] in color)
			fill = color[parts[i]]
		else if (parts[i] in background)
			behind = background[parts[i]]
	}
}

function put(text,    x, y)
{
	if (text == "")
		return
	x = 10 + column * WIDTH
	y = 10 + (NR - 1) * HEIGHT
	if (behind)
		body = body sprintf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n",
			x, y, length(text) * WIDTH, HEIGHT - 1, behind)
	column += length(text)
	if (column > widest)
		widest = column
	n = length(text)
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	body = body sprintf("<text x=\"%d\" y=\"%d\" fill=\"%s\" font-weight=\"%s\" textLength=\"%d\">%s</text>\n",
		x, y + FONT, fill, weight, n * WIDTH, text)
}

{
	column = 0
	plain()
	while (match($0, /\033\[[0-9;]*m/)) {
		put(substr($0, 1, RSTART - 1))
		apply(substr($0, RSTART + 2, RLENGTH - 3))
		$0 = substr($0, RSTART + RLENGTH)
	}
	put($0)
}

END {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"monospace\" font-size=\"%d\" xml:space=\"preserve\">\n",
		widest * WIDTH + 20, NR * HEIGHT + 20, FONT
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"#1c1c1c\"/>\n%s</svg>\n", body
}
