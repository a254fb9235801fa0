"""Goal: the labels that we draw can be read, by machines and by people, whatever the address; nothing
leaves its place; each page says that it is not for carriage.
Method: PDF is rendered by poppler, ZPL by zpl-renderer-js; bars are read back by zbar, the matrix by
libdmtx, text by pdftotext: none of it is ours. Random addresses in many scripts, with commands of the
printer in them; all pixels outside the boxes of text must be those of a label with short words.
WAYBILL_SEED replays."""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

import outside_tools  # noqa: E402
import tap  # noqa: E402

PROBE = os.environ["LABEL_PROBE"]
SEED = int(os.environ.get("WAYBILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
NUMBERS = ["WB12345678901234567890014", "WB12345678901234567890024", "1Z5R89390357567127"]
WIDE, HIGH = 812, 1218
# Where words from outside stand: x, y, width, height (label_page.c); an edge may blur by two dots.
BLUR = 2
BOXES = [(20, 12, 520, 46), (20, 152, 772, 128), (110, 292, 682, 264), (20, 750, 570, 34),
         (20, 1100, 772, 36)]


def label(**changes):
    made = {
        "format": "pdf", "carrier": "tariff", "service": "EXPRESS", "shipment_id": "order-1",
        "reference": "PO 4711", "numbers": NUMBERS[:1], "grams": [2000],
        "origin": {"name": "Warehouse", "lines": ["Torstraße 1"], "city": "Berlin",
                   "postal_code": "10115", "country_code": "DE"},
        "destination": {"name": "Zoë Łukasiewicz", "company": "A shop", "lines": ["1 Rue de l'Été"],
                        "city": "Paris", "region": "Île-de-France", "postal_code": "75001",
                        "country_code": "FR", "phone": "+33 1 23 45"},
    }
    made.update(changes)
    return made


def draw(labels):
    """Into the files that they name; none may be refused."""
    done = subprocess.run([PROBE], input="\n".join(json.dumps(each) for each in labels), text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory() as directory:
        yield directory


def tool(name, *arguments):
    program = shutil.which(name)
    if not program:
        raise tap.Skip(f"there is no {name} here")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)


def text_of(pdf):
    done = tool("pdftotext", "-layout", pdf, "-")
    assert done.returncode == 0, done.stderr
    return done.stdout


def render_pdf(path, resolution=203):
    """Its pages as grey images."""
    done = tool("pdftoppm", "-r", str(resolution), "-gray", path, path)
    assert done.returncode == 0, done.stderr
    return sorted(os.path.join(os.path.dirname(path), name) for name in os.listdir(os.path.dirname(path))
                  if name.startswith(os.path.basename(path) + "-") and name.endswith(".pgm"))


def render_zpl(*paths):
    """The pages of each, in lists."""
    directory = outside_tools.node_with("node_zpl", "zpl-renderer-js@3.4.0")
    done = subprocess.run(["node", os.path.join(HERE, "zpl_render.mjs"), *paths], cwd=directory,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [sorted(os.path.join(os.path.dirname(path), name)
                   for name in os.listdir(os.path.dirname(path))
                   if name.startswith(os.path.basename(path) + ".") and name.endswith(".pgm"))
            for path in paths]


def bars_in(image):
    done = tool("zbarimg", "-q", "--raw", "-Sdisable", "-Scode128.enable", image)
    return sorted(done.stdout.split())


def matrix_in(image):
    done = tool("dmtxread", "-m", "30000", "-n", "-N1", image)
    return done.stdout.split()


def check_codes(image, number, routing, matrix):
    assert bars_in(image) == sorted([number, routing]), (image, bars_in(image))
    assert matrix_in(image) == [matrix], (image, matrix_in(image))


def pixels_of(path):
    with open(path, "rb") as file:
        data = file.read()
    head = re.match(rb"P5\s(\d+)\s(\d+)\s255\s", data)
    assert head and (int(head[1]), int(head[2])) == (WIDE, HIGH), data[:20]
    return data[head.end():]


def outside_of_boxes(pixels):
    """The same image with the boxes white."""
    image = bytearray(pixels)
    for x, y, width, height in BOXES:
        for row in range(y - BLUR, y + height + BLUR):
            begin = row * WIDE + x - BLUR
            image[begin:begin + width + 2 * BLUR] = b"\xff" * (width + 2 * BLUR)
    return bytes(image)


# ------------------------------------------------------------------------------------------- cases

def a_pdf_has_a_page_a_parcel_and_its_words_can_be_read():
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        draw([label(out=path, numbers=NUMBERS, grams=[2000, 15500, 1])])
        information = tool("pdfinfo", "-isodates", path).stdout
        assert re.search(r"Pages: +3\b", information), information
        assert "288 x 432 pts" in information and "2026-11-25T00:00:00Z" in information, information
        pages = text_of(path).split("\f")[:3]
        weights = ["2.000 kg", "15.500 kg", "0.001 kg"]
        for i, page in enumerate(pages):
            for words in ["NOT FOR CARRIAGE", NUMBERS[i], f"{i + 1} of 3", weights[i], "Zoë Łukasiewicz",
                          "A shop", "1 Rue de l'Été", "75001 Paris, Île-de-France", "Torstraße 1",
                          "PO 4711", "order-1", "(421) 25075001", "EXPRESS"]:
                assert words in page, (words, page)


def every_script_of_the_fonts_can_be_read():
    words = {"name": "王小明", "company": "株式会社カタカナ", "lines": ["서울특별시 종로구", "Ελληνική Οδός 5"],
             "city": "Москва", "region": "Київ", "postal_code": "101000", "country_code": "RU"}
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        draw([label(out=path, destination=words)])
        said = text_of(path)
        for each in [words["name"], words["company"], *words["lines"], words["city"], words["region"]]:
            assert each in said, (each, said)
        draw([label(out=path, destination={**words, "name": "محمد", "company": "שלום"})])
        said = text_of(path).replace(" ", "")  # it takes a wide letter space for one
        assert "محمد" in said and "שלום" in said, said


def pdf_codes_are_read_back():
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        draw([label(out=path, numbers=NUMBERS, grams=[2000, 15500, 1])])
        for resolution in (203, 300):
            pages = render_pdf(path, resolution)
            assert len(pages) == 3, pages
            for i, page in enumerate(pages):
                grams = [2000, 15500, 1][i]
                check_codes(page, NUMBERS[i], "42125075001", f"WB1|{NUMBERS[i]}|FR|75001|{i + 1}/3|{grams}")
                os.remove(page)


def png_codes_are_read_back():
    with folder() as directory:
        path = os.path.join(directory, "label.png")
        for only in (1, 2, 3):
            draw([label(out=path, format="png", numbers=NUMBERS, grams=[2000, 15500, 1], only=only)])
            number = NUMBERS[only - 1]
            check_codes(path, number, "42125075001",
                        f"WB1|{number}|FR|75001|{only}/3|{[2000, 15500, 1][only - 1]}")
        draw([label(out=path, format="png", numbers=NUMBERS, grams=[2000, 15500, 1])])
        assert set(bars_in(path)) == {*NUMBERS, "42125075001"}, bars_in(path)


def zpl_codes_are_read_back():
    with folder() as directory:
        path = os.path.join(directory, "label.zpl")
        draw([label(out=path, format="zpl", numbers=NUMBERS, grams=[2000, 15500, 1])])
        [pages] = render_zpl(path)
        assert len(pages) == 3, pages
        for i, page in enumerate(pages):
            check_codes(page, NUMBERS[i], "42125075001",
                        f"WB1|{NUMBERS[i]}|FR|75001|{i + 1}/3|{[2000, 15500, 1][i]}")


def zpl_check_digits_are_right_without_a_renderer():
    """What the printer makes bars of is the number itself; its check digits are in the number."""
    with folder() as directory:
        path = os.path.join(directory, "label.zpl")
        draw([label(out=path, format="zpl")])
        with open(path, encoding="utf-8") as file:
            zpl = file.read()
        [number] = re.findall(r"\^BCN,\d+,N,N,N,A\^FD([^^]*)\^FS", zpl)
        assert number == NUMBERS[0], number
        [routing] = re.findall(r"\^BCN,\d+,N,N,N,D\^FD([^^]*)\^FS", zpl)
        assert routing == "(421)25075001", routing
        assert "NOT FOR CARRIAGE" in zpl and "^FDZoë Łukasiewicz^FS" in zpl, zpl


def inside_a_country_the_routing_code_is_its_postal_code():
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        at_home = {"name": "A", "city": "London", "postal_code": "SW1A 1AA", "country_code": "GB"}
        draw([label(out=path, origin=at_home, destination=at_home)])
        [page] = render_pdf(path)
        check_codes(page, NUMBERS[0], "420SW1A1AA", f"WB1|{NUMBERS[0]}|GB|SW1A1AA|1/1|2000")


def without_a_postal_code_there_is_no_routing_code():
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        draw([label(out=path, destination={"name": "A", "city": "Accra", "country_code": "GH"})])
        [page] = render_pdf(path)
        assert bars_in(page) == [NUMBERS[0]], bars_in(page)


def freight_has_one_page_for_the_consignment():
    with folder() as directory:
        path = os.path.join(directory, "label.pdf")
        draw([label(out=path, grams=[500000, 750500, 1000000])])
        assert re.search(r"Pages: +1\b", tool("pdfinfo", path).stdout)
        said = text_of(path)
        assert "3 pieces" in said and "2250.500 kg" in said, said


# --------------------------------------------------------------------------------- nasty addresses

PIECES = ["^XZ", "^XA", "~JR", "_5E", "^FS^FO0,0^GB800,800,800", "\\&", "京都市", "서울", "محمد", "שלום",
          "Ω", "Щ", "é", "ß", "Łódź", "WWWWWWWWWWWW", "iiiiii", "MMMM", "@@@@", " ", "  ", "\u202e",
          "e\u0301\u0301\u0301\u0301\u0301", "\u0e01\u0e33", "👩‍👩‍👧", "\u2028", "Z̴̢̛͖", "<b>", "&amp;", "%s%n", "ﷺ",
          "𒐫", "a", "long street name", "Straße", "12345", ",", "-", "'", '"']


def words(chance, most):
    made = "".join(chance.choice(PIECES) for _ in range(chance.randint(0, most)))
    while len(made.encode()) > 500:
        made = made[:-10]
    return made.strip()


def nasty(chance, **changes):
    def address(fixed):
        return {"name": words(chance, 40), "company": words(chance, 40), "phone": words(chance, 10),
                "lines": [words(chance, 60) for _ in range(chance.randint(0, 4))],
                "city": words(chance, 40), "region": words(chance, 20), **fixed}
    return label(origin=address({"postal_code": "10115", "country_code": "DE"}),
                 destination=address({"postal_code": "75001", "country_code": "FR"}),
                 service=words(chance, 20), shipment_id=words(chance, 20),
                 reference="R" + words(chance, 20), **changes)


def stays_in_its_boxes(format, count, render):
    chance = random.Random(SEED)
    print(f"# WAYBILL_SEED={SEED}", flush=True)
    with folder() as directory:
        paths = [os.path.join(directory, f"{i}.{format}") for i in range(count)]
        draw([label(out=paths[0], format=format)])
        draw([nasty(chance, out=path, format=format) for path in paths[1:]])
        pages = render(paths)
        expected = outside_of_boxes(pixels_of(pages[0]))
        for i, page in enumerate(pages):
            if outside_of_boxes(pixels_of(page)) != expected:
                raise AssertionError(f"{format} label {i} of seed {SEED} leaves its boxes")
        for page in pages[:5]:
            check_codes(page, NUMBERS[0], "42125075001", f"WB1|{NUMBERS[0]}|FR|75001|1/1|2000")


def one_page_each(lists):
    assert all(len(pages) == 1 for pages in lists), lists
    return [pages[0] for pages in lists]


def no_address_leaves_its_place_in_pdf():
    stays_in_its_boxes("pdf", 20, lambda paths: one_page_each([render_pdf(path) for path in paths]))


def no_address_leaves_its_place_in_zpl():
    stays_in_its_boxes("zpl", 8, lambda paths: one_page_each(render_zpl(*paths)))


tap.run([a_pdf_has_a_page_a_parcel_and_its_words_can_be_read, every_script_of_the_fonts_can_be_read,
         pdf_codes_are_read_back, png_codes_are_read_back, zpl_codes_are_read_back,
         zpl_check_digits_are_right_without_a_renderer,
         inside_a_country_the_routing_code_is_its_postal_code,
         without_a_postal_code_there_is_no_routing_code, freight_has_one_page_for_the_consignment,
         no_address_leaves_its_place_in_pdf, no_address_leaves_its_place_in_zpl])
