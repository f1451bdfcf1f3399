"""Fake kubectl and docker on a lab node: they print the contents of files as the real commands would."""

from collections.abc import Sequence

from tests.lab.kit.nodes import LabNode
from tests.support.kubectl_tables import PODS, RELEASES, node_rows, table

_KUBECTL = r"""#!/bin/sh
[ "$1 $2" = "--kubeconfig /etc/kubernetes/admin.conf" ] || { echo "wrong kubeconfig: $*" >&2; exit 1; }
while [ "$1" != get ]; do shift; done
if [ -e /srv/down ]; then
  echo "E1125 memcache.go:265] couldn't get current server API group list" >&2
  echo "The connection to the server 10.20.0.10:6443 was refused - did you specify the right host or port?" >&2
  exit 1
fi
echo "Warning: something is deprecated" >&2
cat "/srv/$2"
"""
_DOCKER = r"""#!/bin/sh
case $1 in
  ps) cat /srv/containers ;;
  rm) echo "$*" >>/srv/removed; : >/srv/containers; echo "$3" ;;
esac
"""


def make_cluster(node: LabNode, addresses: Sequence[str], pods: Sequence[str] = PODS) -> None:
    """Make `node` a control plane node of a cluster with `addresses`, on which only `pods` run."""
    files = {
        "/srv/nodes": table(node_rows(addresses)),
        "/srv/pods": table(pods),
        "/srv/apprelease": table(RELEASES),
        "/srv/clustermodule": "\tCompleted\nend\t1\n",
        "/srv/containers": "",
        "/usr/bin/kubectl": _KUBECTL,
        "/usr/bin/docker": _DOCKER,
        "/etc/kubernetes/admin.conf": "secret\n",
    }
    for path, text in files.items():
        put(node, path, text)
    node.sh("chmod 755 /usr/bin/kubectl /usr/bin/docker; chmod 600 /etc/kubernetes/admin.conf")


def put(node: LabNode, path: str, text: str) -> None:
    quoted = text.replace("'", "'\\''")
    node.sh(f"mkdir -p $(dirname {path}) && printf '%s' '{quoted}' >{path}")
