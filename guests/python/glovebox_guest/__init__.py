"""Python guest: what turns CPython into a guest?

In reading order: `evaluation` runs a source, `world` prepares what it sees, `streams` are its
standard streams, `value` and `report` describe how it ended, `loop` and `calls` wait for the host,
`exchange`, `http_hooks` and `tls` carry HTTP over host calls, `threads`, `leaving`, `account`,
`strftime` and `own_file` stand for what WASI lacks, `image` makes the state that is frozen.
"""
