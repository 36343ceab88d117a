"""`image.*`: the guest images in the cache."""

from __future__ import annotations

from pathlib import Path

from lab.commands import present
from lab.errors import LabError
from lab.host import images, media_store

MIB = 1 << 20
ONE_MEDIUM = "Only the stand-in has an installer medium of ours; a real pfSense is installed by `./inv lab.up --firewall pfsense`"
BOXED = """\
{box} {version}
  box         {file}
  catalogue   {catalogue} (`vagrant box add` it, in that folder)
  registered  {registered}"""


def show(json: bool) -> int:
    """`image.list`."""

    def body() -> int:
        current = {name: images.recipe_hash(name) for name in images.image_names()}
        rows = [
            {
                "image": image.name,
                "recipe": image.recipe_hash[:12],
                "current": current.get(image.name) == image.recipe_hash,
                "mib": round(image.size / MIB),
                "built": image.built,
                "path": str(image.path),
            }
            for image in images.installed()
        ]
        missing = [name for name in current if not any(row["image"] == name and row["current"] for row in rows)]
        if json:
            present.as_json({"images": rows, "missing": missing})
        else:
            if rows:
                columns = ["image", "recipe", "current", "mib", "built", "path"]
                print(present.table("images", columns, [[str(row[column]) for column in columns] for row in rows]))
            for name in missing:
                print(f"{name}: not built yet; `./inv image.build` or `./inv lab.up` builds it")
        return 0

    return present.run(body, json)


def build(names: list[str], force: bool, from_installer: int = 0) -> int:
    """`image.build`. from_installer: how many times in a row the stand-in is installed from its medium and proved; 0 for not."""

    def body() -> int:
        if from_installer:
            from lab.commands import install_standin

            if names != ["standin"]:
                raise LabError(ONE_MEDIUM, expected="--firewall standin --from-installer", seen=" ".join(names))
            return install_standin.build(force, from_installer)
        for name in names or images.image_names():
            image = images.ensure(name, present.Progress(), force)
            print(f"{name}: {image.disk.parent}")
        return 0

    return present.run(body)


def box(names: list[str], home: str | None, json: bool) -> int:
    """`image.box`. home: another VAGRANT_HOME than the labs' to register the boxes in, say your own ~/.vagrant.d."""

    def body() -> int:
        from lab.host import boxes

        rows = []
        for name in names or images.image_names():
            one = boxes.box_of(images.ensure(name, present.Progress()))
            catalogue = boxes.pack(one, boxes.boxes_home())
            place = boxes.register(one, catalogue, Path(home).expanduser().resolve() if home else None)
            rows.append({"box": one.name, "version": one.version, "file": str(one.file(boxes.boxes_home())),
                         "catalogue": str(catalogue), "registered": str(place)})  # fmt: skip
        if json:
            present.as_json({"ok": True, "boxes": rows})
        else:
            for row in rows:
                print(BOXED.format(**row))
        return 0

    return present.run(body, json)


def verify(json: bool) -> int:
    """`image.verify`. Exit code 1 where an image is damaged or not built."""

    def body() -> int:
        bad: dict[str, str] = {}
        for name in images.image_names():
            try:
                images.verify(name)
            except LabError as error:
                bad[name] = str(error.problem)
        media = [medium.name for medium in media_store.stored()]
        for medium in media_store.stored():
            try:
                media_store.verify(medium)
            except LabError as error:
                bad[medium.name] = str(error.problem)
        names = [*images.image_names(), *media]
        if json:
            present.as_json({"ok": not bad, "images": names, "bad": bad})
        else:
            for name in names:
                print(f"{name}: {bad.get(name, 'whole')}")
        return 1 if bad else 0

    return present.run(body, json)


def prune() -> int:
    """`image.prune`."""

    def body() -> int:
        from lab.host import boxes

        print(f"{(images.prune() + boxes.prune()) // MIB} MiB freed")
        return 0

    return present.run(body)


def add(file: str, sha256: str = "") -> int:
    """`image.add`: take a pfSense image of the user's into the cache. sha256: what it should have, as hex, or ""."""

    def body() -> int:
        medium = media_store.add(Path(file).expanduser(), sha256, present.Progress())
        print(f"{medium.product} {medium.version}: {medium.disk}")
        print(f"SHA-256 of the file: {medium.source_sha256}")
        print(f"SHA-256 unpacked:    {medium.sha256}")
        print(f"compared with {medium.checked}" if medium.checked else f"compared with nothing: {media_store.PINNED}")
        print("`./inv lab.up --firewall pfsense` installs it at its first run")
        return 0

    return present.run(body)
