"""Draw the pictures of the README and the docs from a real lab: `./do pictures`.

The lab is seeded, so the files change only when the lab does.
"""

from __future__ import annotations

from pathlib import Path

from gitops_sim.lab import Lab

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"


def drawn() -> dict[str, str]:
    """Return SVG by file name: the pictures of two mornings in the shop."""
    lab = Lab(seed=7)
    shop = lab.forge.import_repository("samples/shop")
    staging = lab.cluster("staging")
    staging.flux.bootstrap(shop, path="overlays/staging", interval="1m", sync_interval="10m")
    lab.run("3m30s")  # half a minute before Flux polls again
    catalog = shop.read("base/catalog.yaml")
    shop.commit({"base/catalog.yaml": catalog.replace("2.1.0", "2.2.0")}, "Release catalog 2.2")
    staging.kubectl("scale deployment/web --replicas=5 --namespace shop")
    staging.kubectl("delete service/cart --namespace shop")
    shell = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: debug, namespace: shop}\n"
    staging.kubectl("apply -f debug.yaml", files={"debug.yaml": f"{shell}data: {{trace: 'on'}}\n"})
    lab.run("5s")
    board = lab.compare(staging).svg
    lab.run("9m")
    view = lab.compare(staging)
    return {
        "desired-actual.svg": board,
        "lanes.svg": view.lanes().svg,
        "tree.svg": view.tree().svg,
        "loop.svg": staging.flux.loop().svg,
        "users.svg": _bad_morning(),
    }


def _bad_morning() -> str:
    """Return what users see of two bad versions: one never gets ready, one fails at its work."""
    lab = Lab(seed=7)
    shop = lab.forge.import_repository("samples/shop")
    staging = lab.cluster("staging")
    staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")
    lab.registry.push("shop/web:2.0.0", ready=False)
    lab.registry.push("shop/web:2.0.1", error_rate=0.3)
    lab.run("10m")
    text = shop.read("base/web.yaml")
    for version, time in (("2.0.0", "17m"), ("2.0.1", "5m")):
        bad = shop.commit({"base/web.yaml": text.replace("1.4.0", version)}, f"Deliver {version}")
        lab.run(time)
        shop.revert(bad)
        lab.run("7m")
    return staging.users("web").picture.svg


def main() -> None:
    """Write the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn().items():
        (PICTURES / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
