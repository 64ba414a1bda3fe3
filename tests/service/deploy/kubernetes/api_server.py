"""A program that simulates the API server of Kubernetes, as far as the commands of the runbook need it.

It keeps objects, and has no controllers: pods do not run, and a deployment is complete at once.
It prints its port, and ends with its standard input.
"""

import base64
import copy
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

# Plural names of the kinds by group and version; those of an empty group are Kubernetes' oldest.
GROUPS = {
    "v1": {
        "namespaces": "Namespace",
        "pods": "Pod",
        "secrets": "Secret",
        "services": "Service",
        "configmaps": "ConfigMap",
        "events": "Event",
    },
    "apps/v1": {"deployments": "Deployment", "replicasets": "ReplicaSet"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy", "ingresses": "Ingress"},
    "monitoring.coreos.com/v1": {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"},
}
SHORT = {"horizontalpodautoscalers": ["hpa"]}
IS_NAMESPACED = {"namespaces": False}
PATH = re.compile(
    r"/apis?/(?P<version>v1|[^/]+/v\d)(/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(/(?P<name>[^/]+))?"
    r"(/(?P<part>scale|log))?"
)
Object = dict[str, Any]
Key = tuple[str, str, str]


class Cluster:
    """Objects by kind, namespace and name."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.lock = threading.Lock()

    def store(self, key: Key, item: Object) -> Object:
        """Store an object, and do what the controller of deployments does."""
        old = self.objects.get(key)
        meta = item["metadata"]
        meta["uid"] = "-".join(key)
        meta["generation"] = meta.get("generation", 0) + 1
        meta["resourceVersion"] = str(meta["generation"])
        if key[0] == "deployments":
            count = item["spec"].get("replicas", 1)
            names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            item["status"] = dict.fromkeys(names, count) | {"observedGeneration": meta["generation"]}
            if old is None or old["spec"]["template"] != item["spec"]["template"]:
                self._add_replica_set(item)
        self.objects[key] = item
        return item

    def _add_replica_set(self, deployment: Object) -> None:
        meta, number = deployment["metadata"], 1 + len(self.found("replicasets"))
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"], "uid": meta["uid"]}
        name = f"{meta['name']}-{number}"
        self.objects["replicasets", meta["namespace"], name] = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "uid": name,
                "namespace": meta["namespace"],
                "labels": deployment["spec"]["selector"]["matchLabels"],
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [owner | {"controller": True}],
            },
            "spec": {
                "replicas": 0,
                "selector": deployment["spec"]["selector"],
                "template": copy.deepcopy(deployment["spec"]["template"]),
            },
        }
        meta.setdefault("annotations", {})["deployment.kubernetes.io/revision"] = str(number)

    def found(self, plural: str) -> list[Object]:
        """Return all objects of a kind."""
        return [item for key, item in self.objects.items() if key[0] == plural]


def merged(old: Any, patch: Any) -> Any:
    """Return an object with a patch, as far as kubectl sends them here."""
    if isinstance(old, dict) and isinstance(patch, list):  # a JSON patch, as of rollout undo
        for step in patch:
            _, outer, inner = step["path"].split("/")
            old[outer][inner] = step["value"]
        return old
    if isinstance(old, dict) and isinstance(patch, dict):
        changed = {
            key: merged(old.get(key), value) for key, value in patch.items() if not key.startswith("$")
        }
        return {key: value for key, value in (old | changed).items() if value is not None}
    if isinstance(old, list) and isinstance(patch, list) and all("name" in one for one in patch):
        named = {one["name"]: one for one in old}
        return [*({**named} | {one["name"]: merged(named.get(one["name"]), one) for one in patch}).values()]
    return patch


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = Cluster()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path in ("/api", "/apis"):
            self._reply(200, _groups(path))
        elif path == "/openapi/v3":
            addresses = {
                _root(version): {"serverRelativeURL": f"/openapi/v3/{_root(version)}"} for version in GROUPS
            }
            self._reply(200, {"paths": addresses})
        elif path.startswith("/openapi/v3/"):
            self._reply(200, _schema(path.removeprefix("/openapi/v3/").split("/", 1)[1]))
        elif (version := path.removeprefix("/apis/").removeprefix("/api/")) in GROUPS:
            self._reply(200, _resources(version))
        elif match := PATH.fullmatch(path):
            self._get(match, query)
        else:
            self._reply(404, _failure("NotFound"))

    def do_POST(self) -> None:
        match, item = PATH.fullmatch(urlsplit(self.path).path), self._body()
        assert match, self.path
        with self.cluster.lock:
            item["metadata"].setdefault("namespace", match["namespace"])
            self._reply(201, self.cluster.store(_key(match, item["metadata"]["name"]), item))

    def do_PATCH(self) -> None:
        match, patch = PATH.fullmatch(urlsplit(self.path).path), self._body()
        assert match, self.path
        with self.cluster.lock:
            key = _key(match, match["name"])
            item = self.cluster.store(key, merged(copy.deepcopy(self.cluster.objects[key]), patch))
            self._reply(200, _scale(item) if match["part"] == "scale" else item)

    def _get(self, match: re.Match[str], query: dict[str, list[str]]) -> None:
        if match["part"] == "log":
            self._reply(200, "ready\n")
        elif match["name"]:
            item = self.cluster.objects.get(_key(match, match["name"]))
            found = _scale(item) if item and match["part"] == "scale" else item
            self._reply(200 if found else 404, found or _failure("NotFound"))
        elif "watch" in query:
            self._wait()
        else:
            kind = GROUPS[match["version"]][match["plural"]]
            items = self.cluster.found(match["plural"])
            meta = {"resourceVersion": "1"}
            listed = {"kind": f"{kind}List", "apiVersion": match["version"], "metadata": meta, "items": items}
            self._reply(200, listed)

    def _wait(self) -> None:
        """Answer a watch, in which nothing happens; kubectl ends it when it knows enough."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.rfile.read(1)

    def _body(self) -> Any:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body.startswith(b"k8s\0"):
            return _secret(body[4:])
        return yaml.safe_load(body)

    def _reply(self, status: int, document: object) -> None:
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _key(match: re.Match[str], name: str) -> Key:
    return match["plural"], match["namespace"] or "", name


def _root(version: str) -> str:
    return f"api{'s' * ('/' in version)}/{version}"


def _schema(version: str) -> Object:
    """Return a description from which kubectl learns that the server checks the fields of objects."""
    parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    group, _, number = version.rpartition("/")
    paths = {
        f"/{plural}": {
            "patch": {
                "parameters": [parameter],
                "responses": {},
                "x-kubernetes-group-version-kind": {"group": group, "version": number, "kind": kind},
            }
        }
        for plural, kind in GROUPS[version].items()
    }
    return {"openapi": "3.0.0", "info": {"title": version, "version": "1"}, "paths": paths}


def _fields(message: bytes) -> dict[int, list[bytes]]:
    """Return the fields of a message of Protocol Buffers that has texts and messages alone, below 16 KB."""
    found: dict[int, list[bytes]] = {}
    while message:
        tag, size, start = message[0], message[1], 2
        if size > 127:
            size, start = size - 128 + 128 * message[2], 3
        found.setdefault(tag >> 3, []).append(message[start : start + size])
        message = message[start + size :]
    return found


def _secret(message: bytes) -> Object:
    """Return a Secret, which kubectl sends in its binary form."""
    envelope = _fields(message)
    kind, secret = _fields(envelope[1][0])[2][0], _fields(envelope[2][0])
    assert kind == b"Secret"
    pairs = [_fields(entry) for entry in secret[2]]
    name = _fields(secret[1][0])[1][0].decode()
    data = {pair[1][0].decode(): base64.b64encode(pair[2][0]).decode() for pair in pairs}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def _scale(deployment: Object) -> Object:
    meta = {name: deployment["metadata"][name] for name in ("name", "namespace", "resourceVersion")}
    spec = {"replicas": deployment["spec"].get("replicas", 1)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": spec}


def _failure(reason: str) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": 404}


def _groups(path: str) -> Object:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    groups = []
    for version in (version for version in GROUPS if "/" in version):
        one = {"groupVersion": version, "version": version.partition("/")[2]}
        groups.append({"name": version.partition("/")[0], "versions": [one], "preferredVersion": one})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _resources(version: str) -> Object:
    verbs = ["create", "get", "list", "patch", "update", "watch"]
    found = [
        {
            "name": plural,
            "singularName": kind.lower(),
            "namespaced": IS_NAMESPACED.get(plural, True),
            "kind": kind,
            "verbs": verbs,
            "shortNames": SHORT.get(plural, []),
        }
        for plural, kind in GROUPS[version].items()
    ]
    if version == "apps/v1":
        scale = {"name": "deployments/scale", "group": "autoscaling", "version": "v1", "kind": "Scale"}
        found.append(scale | {"singularName": "", "namespaced": True, "verbs": verbs})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def main() -> None:
    """Serve a cluster with a pod, and with the namespace of an ingress controller."""
    cluster = _Handler.cluster
    meta = {"name": "lectern-1-a", "namespace": "lectern", "labels": {"app.kubernetes.io/name": "lectern"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "lectern"}]}}
    cluster.store(("pods", "lectern", "lectern-1-a"), pod)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ingress-nginx"}}
    cluster.store(("namespaces", "", "ingress-nginx"), namespace)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
