# What Doxygen is shown of a header: plain comments become documentation, with the characters escaped that it would take for commands. Behind
# code on the same line a comment belongs to what stands before it.
function escaped(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/@/, "\\@", text)
	gsub(/</, "\\<", text)
	gsub(/>/, "\\>", text)
	gsub(/#/, "\\#", text)
	gsub(/%/, "\\%", text)
	return text
}
{
	line = $0
	out = ""
	while (line != "") {
		if (inside) {
			end = index(line, "*/")
			if (!end) {
				out = out escaped(line)
				break
			}
			out = out escaped(substr(line, 1, end - 1)) "*/"
			line = substr(line, end + 2)
			inside = 0
		} else {
			start = index(line, "/*")
			if (!start) {
				out = out line
				break
			}
			before = out substr(line, 1, start - 1)
			is_first = (NR == 1)
			mark = before ~ /^[ \t]*$/ ? "/**" : "/**<"
			# The comment at the top is about the file; the ones that head a section are about no declaration.
			if (is_first)
				mark = "/** \\file\n *"
			else if (substr(line, start) ~ /^\/\* ----/)
				mark = "/*"
			out = before mark
			line = substr(line, start + 2)
			inside = 1
		}
	}
	print out
}
