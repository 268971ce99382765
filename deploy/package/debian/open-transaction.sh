# Whether a transaction is open: something may be on trial, and its way back must stay where it is. The program says so; where it cannot
# (it may be what this installation repairs), an armed deadline says it.
transaction_is_open() {
	[ -d /var/lib/holdfast/ledger ] || return 1
	if status=$(timeout 60 /usr/bin/holdfast-agent status --json 2>/dev/null); then
		case $status in
			*'"open":null}') return 1 ;;
			*) return 0 ;;
		esac
	fi
	for armed in /run/systemd/transient/holdfast-revert@*.timer /run/holdfast/deadline-*.pid; do
		if [ -e "$armed" ]; then return 0; fi
	done
	return 1
}

say_open() {
	cat >&2 <<-END
		holdfast-agent: a transaction is open on this server, and the agent is what can undo it. Nothing was changed.
		Look:    holdfast-agent status
		Wait until it is confirmed or undone by itself, or put the server back now with:  holdfast-agent revert
	END
}

systemd_runs() {
	[ -d /run/systemd/system ]
}

# Without systemd nobody here can stop the agent in order; whoever started it can.
refuse_while_it_runs_by_hand() {
	if systemd_runs; then return 0; fi
	for process in /proc/[0-9]*/exe; do
		if [ "$(readlink "$process" 2>/dev/null)" = /usr/lib/holdfast-agent/node ]; then
			echo 'holdfast-agent: it is running. Stop "holdfast-agent run" first, and start it again afterwards. Nothing was changed.' >&2
			exit 1
		fi
	done
}
