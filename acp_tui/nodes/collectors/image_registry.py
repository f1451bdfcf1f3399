"""The collector for an external image registry: TLS, `GET /v2/` and the login from a node (XR-REG-EXT, XR-REG-AUTH).

The node receives the password as a part of the script. bash keeps the password only in its memory. It passes the
password to curl or python through a pipe, never in an argument, an environment variable or a file. The password is
sent to the registry only over trusted TLS.
"""

import re
from collections.abc import Mapping
from shlex import quote

from pydantic import SecretStr

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import Login, RegistryAnswer, Trust
from acp_tui.nodes.script import Collector, CollectorOutput

# Each line of output is `WORD text`. `-q`: ignore the user's .curlrc; `-g`: IPv6 brackets are not a pattern.
_CURL = r"""
local at=@REGISTRY@ basic=@BASIC@ secure= first= text status line kind= realm= service= scope= token
report() { printf '%s\n' "$1 ${2//$'\n'/ }"; }
get() {
  curl -q -sS -g -i --noproxy '*' -m 4 -w '\ncode %{http_code}\n' --config - "$@" 2>&1 | head -c 65536
  return "${PIPESTATUS[0]}"
}
send() { printf 'header = "Authorization: %s"\n' "$1" | get "${@:2}"; }
use_python() { printf '%s\n' "$basic" | "$1" -c @PYTHON@ "$at"; }
if ! tool curl; then
  for text in python3 /usr/libexec/platform-python; do
    if type -P "$text" >/dev/null; then use_python "$text"; return; fi
  done
  return 127
fi
text=$(get "https://$at/v2/" </dev/null); status=$?
case $status in
  0) secure=1; echo 'trust trusted' ;;
  51 | 58 | 60 | 77 | 83) report trust "${text:0:500}"; text=$(get -k "https://$at/v2/" </dev/null); status=$? ;;
  35 | 52 | 56)
    first=${text:0:500} text=$(get "http://$at/v2/" </dev/null); status=$?
    if [ "$status" -eq 0 ]; then report plain "$first"; else text=$first; fi ;;
esac
if [ "$status" -ne 0 ]; then report error "${text:0:500}"; return 0; fi
report status "${text##*code }"
[ -n "$basic" ] || return 0
shopt -s nocasematch
while IFS= read -r line && line=${line%$'\r'} && [ -n "$line" ]; do
  case $line in
    www-authenticate:*bearer\ *)
      kind=bearer
      [[ $line =~ realm=\"([^\"]*)\" ]] && realm=${BASH_REMATCH[1]}
      [[ $line =~ service=\"([^\"]*)\" ]] && service=${BASH_REMATCH[1]}
      [[ $line =~ scope=\"([^\"]*)\" ]] && scope=${BASH_REMATCH[1]} ;;
    www-authenticate:*basic*) kind=${kind:-basic} ;;
  esac
done < <(printf '%s\n' "$text")
case ${text##*code } in 2*) echo 'login open'; return 0 ;; esac
[ -n "$secure" ] || { echo 'login unsent'; return 0; }
case $kind in
  basic) text=$(send "Basic $basic" "https://$at/v2/") || { report login "failed ${text:0:500}"; return 0; } ;;
  bearer)
    case $realm in https://*) ;; *) report login "unsent $realm"; return 0 ;; esac
    text=$(send "Basic $basic" -G ${service:+--data-urlencode} ${service:+"service=$service"} \
      ${scope:+--data-urlencode} ${scope:+"scope=$scope"} --url "$realm") ||
      { report login "failed ${text:0:500}"; return 0; }
    if [[ $text =~ \"(access_)?token\"[[:space:]]*:[[:space:]]*\"([A-Za-z0-9._~+/=-]+)\" ]]; then
      token=${BASH_REMATCH[2]}
      text=$(send "Bearer $token" "https://$at/v2/") || { report login "failed ${text:0:500}"; return 0; }
    fi ;;
  *) echo 'login failed no supported login method'; return 0 ;;
esac
report login "code ${text##*code }"
"""

_PYTHON = r"""
import json, re, ssl, sys
from urllib import error, parse, request
at, basic = sys.argv[1], sys.stdin.readline().strip()
class NoRedirect(request.HTTPRedirectHandler):
    def redirect_request(self, *given): return None
def report(word, text): print(word, ' '.join(str(text).split())[:500])
def get(url, auth=None, context=None):
    tls = request.HTTPSHandler(context=context or ssl.create_default_context())
    opener = request.build_opener(request.ProxyHandler({}), tls, NoRedirect)
    try: answer = opener.open(request.Request(url, headers={'Authorization': auth} if auth else {}), timeout=4)
    except error.HTTPError as refused: answer = refused
    return answer.getcode(), answer.headers, answer.read(65536).decode(errors='replace')
def first_response():
    try: return 'trust', 'trusted', get('https://%s/v2/' % at)
    except (OSError, ValueError) as err:
        reason = getattr(err, 'reason', err)
        if isinstance(reason, ssl.CertificateError) or 'CERTIFICATE_VERIFY' in str(reason):
            return 'trust', reason, get('https://%s/v2/' % at, None, ssl._create_unverified_context())
        if not isinstance(reason, (ssl.SSLError, ConnectionResetError)): raise
        try: return 'plain', reason, get('http://%s/v2/' % at)
        except (OSError, ValueError): raise reason
try: kind, words, (code, headers, body) = first_response()
except (OSError, ValueError) as err:
    report('error', getattr(err, 'reason', err)); sys.exit()
report(kind, words); report('status', code)
asks = headers.get_all('WWW-Authenticate') or []
bearer = [a for a in asks if a.lower().startswith('bearer ')]
if not basic: sys.exit()
try:
    if code // 100 == 2: report('login', 'open')
    elif words != 'trusted': report('login', 'unsent')
    elif bearer:
        given = dict((k.lower(), v) for k, v in re.findall(r'(\w+)="([^"]*)"', bearer[0]))
        realm = given.get('realm', '')
        if not realm.startswith('https://'): report('login', 'unsent ' + realm); sys.exit()
        asked = parse.urlencode([(k, given[k]) for k in ('service', 'scope') if k in given])
        code, headers, body = get(realm + ('&' if '?' in realm else '?') + asked, 'Basic ' + basic)
        if code == 200:
            token = json.loads(body)
            code = get('https://%s/v2/' % at, 'Bearer ' + (token.get('token') or token.get('access_token')))[0]
        report('login', 'code %d' % code)
    elif any(a.lower().startswith('basic') for a in asks):
        report('login', 'code %d' % get('https://%s/v2/' % at, 'Basic ' + basic)[0])
    else: report('login', 'failed no supported login method')
except (OSError, ValueError, TypeError, AttributeError) as err:
    report('login', 'failed %s' % getattr(err, 'reason', err))
"""

_TRUST: tuple[tuple[str, Trust], ...] = (
    ("self.signed certificate in certificate chain", Trust.UNKNOWN_CA),
    ("self.signed", Trust.SELF_SIGNED),
    ("not yet valid", Trust.NOT_YET),
    ("expired", Trust.EXPIRED),
    ("does not match|no alternative certificate|mismatch|doesn't match|not valid for|subject name", Trust.OTHER_NAME),
    ("issuer|unable to verify|signer not|not trusted|unknown ca", Trust.UNKNOWN_CA),
)
"""Regular expressions for the certificate errors of OpenSSL, NSS and GnuTLS."""


def registry_collector(at: tuple[str, int], login: SecretStr | None) -> Collector:
    """Return the collector for a registry. `at`: its host and port. `login`: base64 of `user:password`, or None."""
    host = f"[{at[0]}]" if ":" in at[0] else at[0]
    shell = fill_template(
        _CURL,
        REGISTRY=quote(f"{host}:{at[1]}"),
        BASIC=quote(login.get_secret_value() if login else ""),
        PYTHON=quote(_PYTHON),
    )
    return Collector("registry", ("registry_answer",), shell, _answer, timeout=20, early=True)


def _answer(output: CollectorOutput) -> Mapping[str, object]:
    rows = {keyword: text for keyword, _space, text in (line.partition(" ") for line in lines(output))}
    status = rows.get("status", "").strip()
    if "error" in rows:
        return {"registry_answer": RegistryAnswer(None, _message(rows["error"]))}
    if not re.fullmatch(r"[1-5]\d\d", status):
        raise ValueError("the registry returned no HTTP status")
    trust = Trust.PLAIN if "plain" in rows else _trust(rows.get("trust", ""))
    login, detail = _login(rows.get("login", ""))
    return {"registry_answer": RegistryAnswer(int(status), "", trust, login, detail)}


def _trust(message: str) -> Trust:
    if message.strip() == "trusted":
        return Trust.TRUSTED
    return next((trust for pattern, trust in _TRUST if re.search(pattern, message, re.IGNORECASE)), Trust.UNTRUSTED)


def _login(result: str) -> tuple[Login | None, str]:
    kind, _space, rest = result.strip().partition(" ")
    if kind == "code":
        if rest[:1] == "2":
            return Login.ACCEPTED, ""
        return (Login.REFUSED, rest) if rest in ("401", "403") else (Login.FAILED, f"HTTP {rest}")
    known = {"open": Login.OPEN, "unsent": Login.UNSENT, "failed": Login.FAILED}
    return known.get(kind), _message(rest)


def _message(text: str) -> str:
    """Return the message of curl or python without the error number of curl."""
    return re.sub(r"^curl: \(\d+\) ", "", " ".join(text.split()))[:200]
