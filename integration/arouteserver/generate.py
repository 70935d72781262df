"""Configurations by arouteserver from the files beside this one; no server is asked."""

import pathlib
import shutil
import subprocess

import general

HERE = pathlib.Path(__file__).resolve().parent

# Of each dialect: which releases are generated for, and in which families of files.
TARGETS = {1: ("1.6.8",), 2: ("2.0.11", "2.14", "2.16", "2.19.2", "3.3.2")}
VARIANTS = ("reject", "tag")


def configurations(work, dialect):
    """The files of a dialect: (path, families, target)."""
    if dialect == 1:
        return [(work / f"{variant}{family}.conf", [family], "1.6.8") for variant in VARIANTS for family in (4, 6)]
    return [(work / f"{variant}-{target}.conf", [4, 6], target) for variant in VARIANTS for target in TARGETS[dialect]]


def site(work, package, programs=HERE):
    """arouteserver's own settings: its templates, our scripts in the place of bgpq4 and of the meter of round trips."""
    (work / "cache").mkdir(exist_ok=True)
    shutil.copy(package / "config.d/log.ini", work)
    (work / "arouteserver.yml").write_text(
        f'cfg_dir: {work}\nbgpq3_path: {programs}/bgpq4\nbgpq3_host: "127.0.0.1"\ncheck_new_release: False\n'
        f"rtt_getter_path: {programs}/rtt\ncache_dir: {work}/cache\ntemplates_dir: {package}/templates\n")


def run(arouteserver, package, work, general_yml, clients_yml, target, out, families):
    words = [arouteserver, "bird", "--cfg", work / "arouteserver.yml", "--general", general_yml, "--clients", clients_yml,
             "--bogons", package / "config.d/bogons.yml", "--target-version", target, "-o", out]
    if len(families) == 1:
        words += ["--ip-ver", str(families[0])]
    subprocess.run(words, check=True, capture_output=True)


def package_of(arouteserver):
    return next(pathlib.Path(arouteserver).resolve().parent.parent.glob("lib/python*/site-packages/pierky/arouteserver"))


def generate(arouteserver, work, dialect):
    """All configurations of a dialect; arouteserver's own bogons and templates."""
    package = package_of(arouteserver)
    site(work, package)
    clients = (HERE / "clients.yml").read_text()
    if dialect == 2:
        # Of routes that a receive limit blocks BIRD 2 runs no filter, rbird does and prints (docs/differences.md).
        clients = clients.replace('{action: "block", ', '{action: "block", count_rejected_routes: false, ') + general.MORE_CLIENTS
    (work / "clients.yml").write_text(clients)
    for path, families, target in configurations(work, dialect):
        variant = next(v for v in VARIANTS if path.name.startswith(v))
        settings = path.with_name(f"general-{path.stem}.yml")
        settings.write_text(general.general(variant, HERE, target))
        run(arouteserver, package, work, settings, work / "clients.yml", target, path, families)
