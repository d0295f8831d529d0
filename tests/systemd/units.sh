# What the other units and the readers of a set do, for tests/systemd/run: each function is a part.
# shellcheck shell=bash disable=SC2154

# Nothing that systemd would complain about, and at most 1.5 of systemd's own points for what the sandbox leaves open.
security() {
    local unit points complaints
    complaints=$(systemd_analyze verify --man=no --recursive-errors=no secretdir@shop.service secretdir-sync@shop.timer shop-reload.path 2>&1) ||
        fail "systemd complains: $complaints"
    for unit in secretdir@shop.service secretdir-sync@shop.service; do
        points=$(exposure "$unit")
        echo "  $unit: $points"
        awk -v points="$points" 'BEGIN { exit !(points > 0 && points <= 1.5) }' || fail "$unit is exposed by $points"
    done
}
exposure() { systemd_analyze security --no-pager "$1" | sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p'; }

# A service that gets a set of two hundred files from systemd, while the set changes all the time.
credentials() {
    printf '[[import]]\nsource = "store"\nsecret = "pair"\nexpand = "json"\ninto = "all"\n' | inside tee -a /etc/secretdir/shop.toml >/dev/null
    inside tee /run/systemd/system/consumer.service >/dev/null <<'END'
[Unit]
Wants=secretdir@shop.service
After=secretdir@shop.service
[Service]
Type=oneshot
DynamicUser=yes
LoadCredential=shop:/run/secretdir/shop
ExecStart=/bin/sh -c 'cd "$CREDENTIALS_DIRECTORY"; echo "$(ls | wc -l) $(cat shop_all_* shop_pair_one shop_pair_two | sort -u | tr "\n" " ")"'
StandardOutput=append:/var/tmp/credentials
END
    systemctl daemon-reload
    local told
    told=$(inside timeout 600 bash -c "$changes_and_starts" 2>&1) || fail "$told"
    echo "  $told"
    configure shop
}
changes_and_starts='
change() {
    {
        printf "{\"one\": \"%s\\\\n\", \"two\": \"%s\\\\n\"" "$1" "$1"
        for key in $(seq 198); do printf ", \"k%s\": \"%s\\\\n\"" "$key" "$1"; done
        echo "}"
    } >/srv/store/.pair
    mv /srv/store/.pair /srv/store/pair
    systemctl kill --signal=USR1 secretdir@shop.service
}
change 0
for _ in $(seq 600); do [ -e /run/secretdir/shop/all/k198 ] && break; sleep 0.1; done
(
    trap "exit 0" TERM
    for number in $(seq 100000); do change "$number"; done
) &
changes=$!
for start in $(seq 40); do systemctl start consumer.service || { kill $changes; echo "start $start fails"; exit 1; }; done
kill $changes
wait $changes
[ "$(wc -l </var/tmp/credentials)" -eq 40 ] || { echo "not every start saw the set"; exit 1; }
while read -r files value more; do
    [ "$files" -eq 203 ] || { echo "there are $files files"; exit 1; }
    [ -n "$value" ] && [ -z "$more" ] || { echo "a mixed set: $value and $more"; exit 1; }
done </var/tmp/credentials
sets=$(sort -u /var/tmp/credentials | wc -l)
[ "$sets" -gt 5 ] || { echo "only $sets sets in 40 starts"; exit 1; }
echo "40 starts saw $sets sets"
'

# The timer, hurried by a drop-in.
timer() {
    configure slow
    systemctl start secretdir-sync@slow.timer
    [ -n "$(systemctl show -P NextElapseUSecRealtime secretdir-sync@slow.timer)" ] || fail "the timer has no next time"
    inside mkdir -p /run/systemd/system/secretdir-sync@slow.timer.d
    printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/1\nRandomizedDelaySec=0\n' | inside tee /run/systemd/system/secretdir-sync@slow.timer.d/hurry.conf >/dev/null
    systemctl daemon-reload
    systemctl restart secretdir-sync@slow.timer
    until_true "the timer has started a run" holds /run/secretdir/slow/token .
    secret "by the timer"
    until_true "the timer has started another run" holds /run/secretdir/slow/token "by the timer"
    systemctl stop secretdir-sync@slow.timer
    until_true "the last run is over" inside sh -c 'test "$(systemctl show -P ActiveState secretdir-sync@slow.service)" = inactive'
    [ "$(systemctl show -P Result secretdir-sync@slow.service)" = success ] || fail "the run of the timer has failed"
    holds /run/secretdir/slow/token "by the timer" || fail "the set is gone when the run is over"
}

# Files that belong to another user, by the drop-in of the examples.
owner() {
    inside useradd --system app
    configure owned
    inside sed -i 's/^path = .*/&\nowner = "app"\nretain = "0s"/' /etc/secretdir/owned.toml
    if inside runuser -u secretdir -- secretdir sync --config /etc/secretdir/owned.toml 2>/dev/null; then fail "files are given away without the right to"; fi
    inside install -D -m 644 -t /etc/systemd/system/secretdir@owned.service.d "$examples/secretdir@.service.d/owner.conf"
    systemctl daemon-reload
    systemctl start secretdir@owned.service || fail "the drop-in is not enough for another owner"
    local number
    for number in 1 2 3; do
        secret "owned $number"
        until_true "published for app" inside runuser -u app -- grep -qsx "owned $number" /run/secretdir/owned/token
    done
    [ "$(inside stat -L -c %U:%a /run/secretdir/owned /run/secretdir/owned/token | tr '\n' ' ')" = "app:700 app:400 " ] || fail "the files are not those of app"
    # The one before the last may stay, for readers that have just opened it.
    until_true "old sets of app are removed" inside sh -c 'test $(ls -d /run/secretdir/.owned.gen-* | wc -l) -le 2'
    echo "  secretdir@owned.service with owner.conf: $(exposure secretdir@owned.service)"
    systemctl stop secretdir@owned.service
}

# systemd's own parser reads an env file that is rendered with `dotenv`.
environment() {
    local values=("plain" "it's" '"quoted"' '$HOME ${HOME} $(id) $$' $'two\nlines' 'back\slash \n \\' 'a # no comment' '  blanks  ' '; & | < > * ? { } ! ~ %' $'\u00fcn\u00efcode' $'\ufffd\ue000\ufeff\U10fffd')
    local number config=/etc/secretdir/env.toml
    inside mkdir -p /srv/env
    {
        printf '[directory]\npath = "/run/env/set"\n[sources.store]\nprovider = "file"\nroot = "/srv/env"\n'
        printf '[files.env]\ntemplate-text = """\n'
        for number in "${!values[@]}"; do printf 'V%s={{ v%s | dotenv }}\n' "$number" "$number"; done
        printf '"""\n[files.env.secrets]\n'
        for number in "${!values[@]}"; do printf 'v%s = { source = "store", secret = "v%s" }\n' "$number" "$number"; done
    } | inside tee "$config" >/dev/null
    for number in "${!values[@]}"; do printf %s "${values[number]}" | inside tee "/srv/env/v$number" >/dev/null; done
    inside secretdir sync --quiet --config "$config"
    inside systemd-run --wait --quiet -p EnvironmentFile=/run/env/set/env sh -c 'env -0 >/var/tmp/environment'
    for number in "${!values[@]}"; do
        # grep would take a line end in the value for two patterns.
        inside cat /var/tmp/environment | python3 -c 'import os, sys
wanted = os.fsencode(sys.argv[1])
sys.exit(wanted not in sys.stdin.buffer.read().split(b"\0"))' "V$number=${values[number]}" || fail "V$number is read as another value"
    done
}
