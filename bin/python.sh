# Sourced by the commands beside it: PYTHON becomes one that can run Vibecheck.
for PYTHON in python3 python3.12 python3.11; do
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
        2>/dev/null && return
done
echo "Vibecheck needs Python 3.11 or 3.12: install one, so that python3.11 or python3.12 runs." >&2
exit 1
