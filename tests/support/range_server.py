#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A web server for tests of downloads: one folder on 127.0.0.1, with byte ranges.

    range_server.py DIR LOG [--cut N] [--no-ranges]

Prints its port and process id, then serves until it is ended, at most two minutes.  LOG gets a line per request: the
path and the range asked for, or "-".  --cut N: a reply without a range breaks off after N bytes.
"""
import http.server
import os
import re
import signal
import sys

folder, log = sys.argv[1:3]
options = sys.argv[3:]
cut = int(options[options.index("--cut") + 1]) if "--cut" in options else None
ranges = "--no-ranges" not in options


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range", "-")
        with open(log, "a", encoding="ascii") as out:
            out.write(f"{self.path} {asked}\n")
        name = os.path.join(folder, os.path.basename(self.path))
        if not os.path.isfile(name):
            self.send_error(404)
            return
        with open(name, "rb") as file:
            data = file.read()
        start = re.fullmatch(r"bytes=(\d+)-", asked) if ranges else None
        first = int(start.group(1)) if start else 0
        if start and first >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        body = data[first:]
        self.wfile.write(body if start or cut is None else body[:cut])

    def log_message(self, *_):
        pass


signal.alarm(120)  # should a test that failed have left it behind
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, os.getpid(), flush=True)
server.serve_forever()
