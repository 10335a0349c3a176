# bash and what scripts commonly call.
ARG BASE=debian:forky-slim
FROM ${BASE}
ARG PACKAGES="ca-certificates curl jq passwd socat"
# A base that was made of these packages has them already, and needs no network.
RUN dpkg-query --show ${PACKAGES} >/dev/null 2>&1 \
    || (apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES} && rm -rf /var/lib/apt/lists/*)
# The home of the user that programs run as is their workspace.
RUN sed -i '/^nobody:/s#:/nonexistent:#:/work:#' /etc/passwd
