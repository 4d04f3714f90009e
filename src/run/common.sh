# shellcheck shell=bash
# common.sh: what the shell programs of this folder share.  Sourced, never run.
#
# Messages go to standard error, coloured on a terminal only.

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	RED=$'\e[1;31m' YELLOW=$'\e[1;33m' PLAIN=$'\e[m'
else
	RED='' YELLOW='' PLAIN=''
fi

PROGRAM=${0##*/}

say() { printf '%s\n' "$PROGRAM: $*" >&2; }
warn() { printf '%s\n' "$YELLOW$PROGRAM: $*$PLAIN" >&2; }
complain() { printf '%s\n' "$RED$PROGRAM: $*$PLAIN" >&2; }

# fail STATUS MESSAGE [LINE...]: the message, what else is to be known, the end.
fail() {
	local status=$1
	complain "$2"
	shift 2
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit "$status"
}

# A process of its own user: by root as "user", by anybody else as oneself.  PostgreSQL refuses root.
# become USER COMMAND...: takes the place of the shell that calls it.
become() {
	local user=$1 home
	shift
	if [ "$(id -u)" -ne 0 ] || [ "$user" = root ]; then
		exec "$@"
	fi
	home=$(getent passwd "$user" | cut -d: -f6)
	HOME=$home USER=$user LOGNAME=$user exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
}

# The folder of PostgreSQL's programs: what pg_config says, or else Debian's newest.
postgres_bindir() {
	local pg_config=${PG_CONFIG:-pg_config} dir
	dir=$("$pg_config" --bindir 2>/dev/null)
	if [ -n "${PG_CONFIG:-}" ] || [ -x "$dir/postgres" ]; then
		printf '%s\n' "$dir"
	else
		printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1
	fi
}

# port_busy PORT: whether a process listens on it where 127.0.0.1:PORT would be refused.
port_busy() {
	local port any local_address state tables=(/proc/net/tcp)
	printf -v port '%04X' "$1"
	[ ! -r /proc/net/tcp6 ] || tables+=(/proc/net/tcp6)
	any='^(00000000|0100007F|7F000001|0{32}|0{16}0000FFFF0100007F|0{16}FFFF00000100007F)$'
	while read -r _ local_address _ state _; do
		[ "$state" = 0A ] && [ "${local_address##*:}" = "$port" ] && [[ ${local_address%:*} =~ $any ]] && return 0
	done < <(cat "${tables[@]}")
	return 1
}

# next_free_port PORT...: the first free port after each, no two the same, on one line.
next_free_port() {
	local port taken=' ' found=()
	for port in "$@"; do
		port=$((port + 1))
		while port_busy "$port" || [[ $taken == *" $port "* ]]; do
			port=$((port + 1))
		done
		taken+="$port "
		found+=("$port")
	done
	printf '%s\n' "${found[*]}"
}
