# Completion of lcowmig for bash.
_lcowmig() {
	local word=${COMP_WORDS[COMP_CWORD]}

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'inspect validate diff trace --help --version' -- "$word")
	elif [ "${COMP_WORDS[1]}" = inspect ] && [ "${word#-}" != "$word" ]; then
		mapfile -t COMPREPLY < <(compgen -W '--json -' -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _lcowmig lcowmig
