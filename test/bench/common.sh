# shellcheck shell=bash
# What the benches share: how a figure is shown, and judged by its aim.

title() { printf '\n%s\n' "$*"; }
row() { printf '  %-62s %s\n' "$1" "$2"; }
calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }
judge() { if awk "BEGIN { exit !($1) }"; then echo "reached"; else echo "MISSED"; fi; }
