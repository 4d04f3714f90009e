# shellcheck shell=bash
# shellcheck disable=SC2154 # what src/run/run sets
# screen.sh: shows what happens, as a live screen on a terminal and as plain lines elsewhere.  Sourced by run.
#
# All that it shows comes from screen.sql, asked once a second through one psql that stays connected.  While the
# screen is there, Ctrl-C is read as a key, so that `make` does not see an interrupt and call the end an error.

ASK_EVERY=1000000   # microseconds from one question to the next
PLAIN_EVERY=5000000 # from one plain line to the next
PATIENCE=3000000    # until an answer that does not come is called a problem
FIRST_PRICES=10     # seconds to wait for the first prices
MARK_FOR=3          # seconds for which a price that moved is marked
START_EVERY=10      # seconds from one start of Redis or the simulator to its next, at the least
COINS=20
FIELD=$'\x1f'

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
	live=1
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[m' simulated=$'\e[1;30;43m'
else
	live='' bold='' dim='' red='' green='' plain='' simulated=''
fi

# the latest answer: lines as screen.sql gives them
status='' tiers=() coins=() query_problem=''
# what is wrong with asking; "asked" is when, while the answer is out
ask_problem='' asked='' from_psql='' to_psql=''
# per coin, by nameid: for the marks
declare -A last_order=() moved_at=() moved_up=()
# per child that has gone: what to say of it, and when to start it again; per child that was: words for when
declare -A dead=() start_at=() again=()
connect=()
screen_is_open='' saved_tty='' resized=''

# ---- the conversation with psql ----

ask_open() {
	coproc PSQL {
		exec {lock}<&- {idle}<&-
		PGOPTIONS='-c log_min_messages=fatal -c client_min_messages=error -c statement_timeout=5s' PGCONNECT_TIMEOUT=3 PGCLIENTENCODING=UTF8 \
			PGAPPNAME=crypto_rt_screen exec setsid setpriv --pdeathsig TERM -- "$bindir/psql" -XAtq -F "$FIELD" \
			-h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres 2>/dev/null
	}
	# bash closes both when psql has ended
	from_psql=${PSQL[0]} to_psql=${PSQL[1]}
	# shellcheck disable=SC2153 # bash sets PSQL_PID
	psql_pid=$PSQL_PID
}

ask_close() {
	[ "$from_psql" ] || return 0
	kill -TERM "$psql_pid" 2>/dev/null
	wait "$psql_pid" 2>/dev/null
	from_psql='' to_psql='' asked=''
}

ask() {
	[ "$from_psql" ] || ask_open
	new_status='' new_tiers=() new_coins=() new_problem=''
	if { printf '%s\n' "\\i '${here//\'/\'\'}/screen.sql'" >&"$to_psql"; } 2>/dev/null; then
		asked=${EPOCHREALTIME/./}
	else
		lost_psql
	fi
}

lost_psql() {
	ask_close
	ask_problem="no connection to PostgreSQL; trying again"
}

# Take what psql says for at most 0.2 s of silence; true when its answer is whole.
listen() {
	local line result
	while true; do
		{ IFS= read -r -t 0.2 line <&"$from_psql"; } 2>/dev/null
		result=$?
		if [ "$result" -gt 128 ]; then
			local waited=$((${EPOCHREALTIME/./} - asked))
			[ "$waited" -lt "$PATIENCE" ] || ask_problem="PostgreSQL has not answered for $((waited / 1000000)) s"
			return 1
		elif [ "$result" -ne 0 ]; then
			lost_psql
			return 1
		fi
		case $line in
		S"$FIELD"*) new_status=$line ;;
		T"$FIELD"*) new_tiers+=("$line") ;;
		C"$FIELD"*) new_coins+=("$line") ;;
		X\ *) new_problem=${line#X } ;;
		.)
			status=$new_status tiers=("${new_tiers[@]}") coins=("${new_coins[@]}") query_problem=$new_problem
			asked='' ask_problem=''
			read_status
			return 0
			;;
		esac
	done
}

read_status() {
	IFS=$FIELD read -r _ source coin_count active_count feed_state feed_problem requests pages pages_failed poll_age \
		redis_connected redis_problem recorder_problem tickers snapshots flush_age ticks_lost btc eth <<<"$status"
}

read_tier() { IFS=$FIELD read -r _ tier first last tier_coins every achieved polls late failed <<<"$1"; }

read_coin() {
	IFS=$FIELD read -r _ id rank symbol name price order change_1h change_24h change_7d volume cap age stale <<<"$1"
}

is_simulated() { [ "$feed" = sim ] || [ "$source" = simulated ]; }

# ---- the loop ----

screen_run() {
	read_status
	wait_for_prices
	announce
	[ -z "$live" ] || screen_open
	local next=0 next_line=0 now
	while true; do
		now=${EPOCHREALTIME/./}
		look_after_children
		if [ -z "$asked" ] && [ "$now" -ge "$next" ]; then
			ask
			next=$((now + ASK_EVERY))
		fi
		[ -z "$asked" ] || listen
		if [ "$live" ]; then
			draw
		elif [ "$now" -ge "$next_line" ]; then
			plain_line
			next_line=$((now + PLAIN_EVERY))
		fi
		rest_until "$next"
	done
}

rest_until() {
	local left=$(($1 - ${EPOCHREALTIME/./})) key
	[ -z "$asked" ] || left=10000
	[ "$left" -ge 1000 ] || left=1000
	printf -v left '%d.%06d' $((left / 1000000)) $((left % 1000000))
	if [ -z "$saved_tty" ]; then
		pause "$left"
	elif IFS= read -r -s -d '' -n 1 -t "$left" key; then
		[[ $key != [$'\x03'qQ] ]] || exit 0
	fi
}

# Redis and the simulator are started again when they end; without PostgreSQL there is nothing more to show.
look_after_children() {
	local name
	for name in "${!pids[@]}"; do
		running "$name" || has_stopped "$name"
	done
	for name in "${!start_at[@]}"; do
		[ "$EPOCHSECONDS" -lt "${start_at[$name]}" ] || start_again "$name"
	done
}

has_stopped() {
	local name=$1 code last_start=${started[$1]}
	wait "${pids[$name]}" 2>/dev/null
	code=$?
	if [ "$code" -gt 128 ]; then code="signal $(kill -l "$code")"; else code="exit status $code"; fi
	unset "pids[$name]" "again[$name]"
	dead[$name]="$name has stopped ($code)"
	case $name in
	redis | simulator)
		start_at[$name]=$((last_start + START_EVERY))
		[ "${start_at[$name]}" -le "$EPOCHSECONDS" ] || dead[$name]+="; next try at $(clock "${start_at[$name]}")"
		;;
	esac
	dead[$name]+="; its log: $(log_of "$name")"
	if [ "$name" = postgres ]; then
		screen_close
		complain "${dead[postgres]}"
		show_log "$(log_of postgres)"
		exit 1
	fi
	[ "$name" != http ] || [ ${#connect[@]} -eq 0 ] || connect[-1]=${dead[http]}
	event "${dead[$name]}"
}

start_again() {
	local name=$1 port=$REDIS_PORT
	[ "$name" = redis ] || port=$SIM_PORT
	if port_busy "$port"; then
		start_at[$name]=$((EPOCHSECONDS + START_EVERY))
		dead[$name]="$name cannot start: stop what has port $port; next try at $(clock "${start_at[$name]}")"
		event "${dead[$name]}"
	else
		unset "start_at[$name]" "dead[$name]"
		again[$name]="restarted $(clock -1); "
		event "starting $name again"
		"launch_$name"
	fi
}

clock() { printf '%(%H:%M:%S)T' "$1"; }

# Said once where there is no screen, which shows it anyway.
event() { [ "$screen_is_open" ] || line "$1"; }

wait_for_prices() {
	local until=$((${EPOCHREALTIME/./} + FIRST_PRICES * 1000000))
	tell "waiting for the first prices"
	while [ "${EPOCHREALTIME/./}" -lt "$until" ]; do
		look_after_children
		[ "$asked" ] || ask
		if [ "$asked" ] && listen && [ ${#coins[@]} -gt 0 ]; then
			read_coin "${coins[0]}"
			[ "$stale" = t ] || return 0
		fi
		pause 0.1
	done
	warn "no new prices after $FIRST_PRICES s: ${ask_problem:-${query_problem:-${feed_problem:-see $(log_of postgres)}}}"
}

announce() {
	connect=("psql -h 127.0.0.1 -p $PG_PORT -U postgres" "redis-cli -p $REDIS_PORT get crypto:quote:BTC")
	[ "$feed" = live ] || connect+=("curl ${source_url%/api}/sim/   tells how to steer the simulator")
	[ -z "${pids[http]:-}" ] || connect+=("http://127.0.0.1:$HTTP_PORT/")
	tell "${bold}ready${plain}; connect with"
	printf '    %s\n' "${connect[@]}"
	tell "  or by the unix socket in $socket_dir"
	tell "Ctrl-C stops all of it; the data stays in $RUN_DIR"
}

# ---- plain lines ----

# One line with the time before it; the end where nobody reads it.
line() { printf '%(%H:%M:%S)T  %s\n' -1 "$*" 2>/dev/null || exit 0; }

plain_line() {
	local all_late=0 all_failed=0 text problem
	for text in "${tiers[@]}"; do
		read_tier "$text"
		all_late=$((all_late + late)) all_failed=$((all_failed + failed))
	done
	text="${coin_count:-0} coins  BTC ${btc:-?}  ETH ${eth:-?}  late $all_late  failed $all_failed"
	if is_simulated; then text+='  SIMULATED'; else text+='  live'; fi
	for problem in "$ask_problem" "$query_problem" "${dead[simulator]:-$feed_problem}" "${dead[redis]:-$redis_problem}" "$recorder_problem"; do
		text+=${problem:+"  PROBLEM: $problem"}
	done
	line "$text"
}

# ---- the live screen ----

screen_open() {
	if [ -t 0 ]; then
		saved_tty=$(stty -g)
		stty -icanon -echo intr undef susp undef min 1 time 0
	fi
	trap 'resized=1' WINCH
	resized=1
	screen_is_open=1
	# the alternate screen, no cursor, no wrapping of long lines
	printf '\e[?1049h\e[?25l\e[?7l'
}

screen_close() {
	if [ "$screen_is_open" ]; then
		printf '\e[?7h\e[?25h\e[?1049l' 2>/dev/null
		screen_is_open=''
	fi
	if [ "$saved_tty" ]; then
		stty "$saved_tty" 2>/dev/null
		saved_tty=''
	fi
}

# Lines gather in "frame" and go out in one write.  Each is cleared first: at its end it may stand on its last cell.
put() { frame+=$'\e[m\e[K'"$*"$'\r\n'; }

# put_cut LEFT TEXT [CELLS]: likewise, with as much of the text as has room beside the CELLS that are LEFT of it.
put_cut() {
	local text=$2 room=$((width - ${3:-0}))
	[ ${#text} -le "$room" ] || text=${text:0:room-1}…
	put "$1$text"
}

draw() {
	local frame='' fixed shown with_tiers=1 gap='' way
	if [ "$resized" ]; then
		resized=''
		read -r height width < <(stty size </dev/tty 2>/dev/null)
		[ "${height:-0}" -gt 0 ] || height=24 width=80
		frame=$'\e[m\e[2J'
	fi
	frame+=$'\e[H'
	# the title, the coins' heading, three states, how to connect, the last line
	fixed=$((6 + ${#connect[@]}))
	shown=$((height - fixed - ${#tiers[@]} - 1))
	if [ "$shown" -lt 3 ]; then
		with_tiers='' shown=$((height - fixed))
	elif [ "$shown" -ge $((COINS + 4)) ]; then
		gap=1
	fi
	draw_title
	[ -z "$gap" ] || put
	draw_coins $((shown < COINS ? shown : COINS))
	[ -z "$gap" ] || put
	[ -z "$with_tiers" ] || draw_tiers
	[ -z "$gap" ] || put
	draw_states
	[ -z "$gap" ] || put
	for way in "${connect[@]}"; do put_cut "$dim" "$way"; done
	put_cut '' "Ctrl-C stops all of it; the data stays in $RUN_DIR"
	printf '%s\e[m\e[J' "${frame%$'\r\n'}" 2>/dev/null || exit 0
}

draw_title() {
	local banner=' live from CoinLore ' colour=$green clock right
	if is_simulated; then banner=" SIMULATED PRICES, not the market's " colour=$simulated; fi
	printf -v clock '%(%H:%M:%S)T' -1
	for right in "${coin_count:-0} coins, ${active_count:-0} active  $clock" "${coin_count:-0} coins  $clock" "$clock" ''; do
		[ $((11 + ${#banner} + 2 + ${#right})) -gt "$width" ] || break
	done
	put "${bold}crypto_rt$plain  $colour$banner$plain"$'\e['$((width - ${#right} + 1))"G$right"
}

# The columns that the width has room for; the name takes what is left.
lay_out() {
	local column fixed=26
	local -A widths=([1h]=8 [24h]=8 [7d]=8 [volume]=9 [cap]=9 [age]=6)
	columns=' 1h 24h 7d volume cap age '
	for column in "${!widths[@]}"; do fixed=$((fixed + widths[$column])); done
	for column in volume 7d cap 1h age; do
		[ $((width - fixed)) -lt 8 ] || break
		columns=${columns/ $column / }
		fixed=$((fixed - widths[$column]))
	done
	name_width=$((width - fixed))
	name_width=$((name_width < 0 ? 0 : name_width > 24 ? 24 : name_width))
	price_at=$((12 + name_width))
}

draw_coins() {
	local text column i
	lay_out
	printf -v text '%3s %-7s%-*.*s%14s ' '#' symbol "$name_width" "$name_width" name 'price USD'
	for column in $columns; do
		case $column in
		1h | 24h | 7d) printf -v text '%s%8s' "$text" "$column %" ;;
		volume) printf -v text '%s%9s' "$text" 'vol 24h' ;;
		cap) printf -v text '%s%9s' "$text" 'mkt cap' ;;
		age) printf -v text '%s%6s' "$text" age ;;
		esac
	done
	put "$bold$text"
	for ((i = 0; i < $1; i++)); do
		if [ "${coins[i]:-}" ]; then draw_coin "${coins[i]}"; else put; fi
	done
}

draw_coin() {
	local text mark=' ' colour='' cell column
	read_coin "$1"
	if [ "${order:-0}" -ne "${last_order[$id]:-${order:-0}}" ]; then
		moved_up[$id]=$((order > last_order[$id]))
		moved_at[$id]=$SECONDS
	fi
	last_order[$id]=${order:-0}
	if [ $((SECONDS - ${moved_at[$id]:--100})) -lt "$MARK_FOR" ]; then
		if [ "${moved_up[$id]}" = 1 ]; then mark=▲ colour=$green; else mark=▼ colour=$red; fi
	fi
	# symbols and names may hold wide characters: columns are gone to, not padded to
	printf -v text '%3s %s\e[12G\e[K%s\e[%dG\e[K%s%14s%s%s' "$rank" "${symbol:0:6}" "${name:0:name_width}" \
		"$price_at" "$colour" "$price" "$mark" "$plain"
	for column in $columns; do
		case $column in
		1h) change_cell "$change_1h" ;;
		24h) change_cell "$change_24h" ;;
		7d) change_cell "$change_7d" ;;
		volume) printf -v cell '%9s' "$volume" ;;
		cap) printf -v cell '%9s' "$cap" ;;
		age)
			printf -v cell '%6s' "$age"
			[ "$stale" = f ] || cell=$red$cell$plain
			;;
		esac
		text+=$cell
	done
	put "$text"
}

change_cell() {
	printf -v cell '%8s' "$1"
	case $1 in
	+0.00 | -0.00 | '') ;;
	-*) cell=$red$cell$plain ;;
	*) cell=$green$cell$plain ;;
	esac
}

draw_tiers() {
	local line text faults
	printf -v text '%-5s%-11s%6s%8s%9s%8s%6s%7s' tier ranks coins every achieved polls late failed
	put "$bold$text"
	for line in "${tiers[@]}"; do
		read_tier "$line"
		printf -v text '%-5s%-11s%6s%8s%9s%8s' "${tier#tier}" "$first-$last" "$tier_coins" "$every" "$achieved" "$polls"
		printf -v faults '%6s%7s' "$late" "$failed"
		[ $((late + failed)) -eq 0 ] || faults=$red$faults
		put "$text$faults"
	done
}

# state NAME PROBLEM TEXT [BEFORE]: one line, red where there is a problem.
state() { put_cut "$bold$1$plain  ${2:+$red}" "${4:-}${2:-$3}" 8; }

draw_states() {
	local connected='' feed_text='' tables_text=''
	[ "$redis_connected" = t ] || connected='not connected'
	if [ "$status" ]; then
		feed_text="$feed_state; $pages pages, $pages_failed failed; last poll $poll_age; at most $requests/s"
		tables_text="$tickers tickers, $snapshots snapshots written; last flush $flush_age; $ticks_lost ticks lost"
	fi
	state 'feed  ' "${ask_problem:-${query_problem:-${dead[simulator]:-$feed_problem}}}" "$feed_text" "${again[simulator]:-}"
	state 'redis ' "${dead[redis]:-${redis_problem:-$connected}}" connected "${again[redis]:-}"
	state 'tables' "$recorder_problem" "$tables_text"
}
