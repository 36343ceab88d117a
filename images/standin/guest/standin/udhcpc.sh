#!/bin/sh
# Called by udhcpc at every event. The lease becomes a file, renamed into place; the stand-in does the rest.
case $1 in
bound | renew)
    printf 'ip=%s\nmask=%s\nrouter=%s\ndns=%s\n' "$ip" "$mask" "$router" "$dns" >"$STANDIN_LEASE.new"
    if cmp -s "$STANDIN_LEASE.new" "$STANDIN_LEASE"; then exit 0; fi
    mv "$STANDIN_LEASE.new" "$STANDIN_LEASE"
    ;;
deconfig)
    [ -e "$STANDIN_LEASE" ] || exit 0
    rm -f "$STANDIN_LEASE"
    ;;
*) exit 0 ;;
esac
kill -HUP 1
