"""A shop whose points tell endpoints of events: its own and customers'; and what there is of deliveries."""

import base64
import json
import re

import requests
from test_hook_bindings import SHOP, Hooks

from support import App, until

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def path_of(tenant):
    return f"/tenants/{tenant.replace('/', '%2F')}"


class EndpointShop(Hooks):
    """Point `waits` tries again after a week, `soon` after some seconds, `dies` never."""

    RETRIES = {"waits": '["168h", "168h"]', "soon": '["3s"]', "dies": "[]"}

    def __init__(self, state, *more, env=None):
        super().__init__(state, "--allow-egress", "127.0.0.0/8", *more, env=env)

    def deploy_shop(self, folder, url, tenant="acme", name="shop"):
        app = App(folder, name)
        for point, retry in self.RETRIES.items():
            app.text += f'\n[[hook]]\npoint = "{point}"\nkind = "event"\nretry = {retry}\ncustomers = ["endpoints"]\n'
            app.text += f'[[hook.bind]]\nname = "own"\nendpoint = "{url}/{name}"\nsecret = "KEY"\n'
        app.write()
        self.deploy(app, "--tenant", tenant)
        self.give_key(tenant)

    def give_key(self, tenant):
        assert self.ask("PUT", f"{path_of(tenant)}/secrets/KEY", data=KEY).status_code == 204

    def bind(self, tenant, name, point, url, **more):
        body = {"at": {"app": "shop", "point": point}, "endpoint": {"url": url, "secret": "KEY"}, **more}
        made = self.ask("PUT", f"{path_of(tenant)}/bindings/{name}", json=body)
        assert made.status_code == 200, made.text
        return made.json()

    def unbind(self, tenant, name):
        assert self.ask("DELETE", f"{path_of(tenant)}/bindings/{name}").status_code == 204

    def hooks(self, method, path, host=SHOP, token=None, body=None):
        """(status, JSON) of the listener of hook points."""
        headers = {"authorization": f"Bearer {token or self.token}", "host": host}
        status, _, text = self.server.request(method, f"/v1/hooks/{path}", body=body, headers=headers)
        return status, json.loads(text) if text else None

    def emit(self, point, tenant=None, host=SHOP):
        query = f"?tenant={tenant}" if tenant else ""
        status, made = self.call(point, {}, query, host=host, action="emit")
        assert status == 202, made
        return made

    def listed(self, point, state="dead", host=SHOP):
        """The bindings of deliveries, in order of names."""
        status, made = self.hooks("GET", f"{point}/deliveries?state={state}", host)
        assert status == 200, made
        return [each["binding"] for each in made["deliveries"]]

    def tried(self, point, host=SHOP):
        """Those of deliveries on their way that have failed and wait."""
        made = self.hooks("GET", f"{point}/deliveries?state=open", host)[1]
        return [each["binding"] for each in made["deliveries"] if "cause" in each and not each["under_way"]]

    def endpoints(self, point, query="", host=SHOP, token=None):
        status, made = self.hooks("GET", f"{point}/endpoints{query}", host, token)
        assert status == 200, made
        return {each["binding"]: each for each in made["endpoints"]}

    def open(self):
        """How many deliveries the node counts."""
        headers = {"Authorization": f"Bearer {self.token}"}
        text = requests.get(f"{self.url}/metrics", headers=headers, timeout=10).text
        return int(re.search(r"^carrel_deliveries_open (\d+)$", text, re.M).group(1))

    def until_open(self, count):
        until(lambda: self.open() == count)
