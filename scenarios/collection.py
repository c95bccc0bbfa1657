"""A collection as people have it: documents, questions, and judgements which document answers which question.

Documents and questions are XML as TREC's and Cranfield's (`<doc>` with `<docno>`, `<title>`, `<text>`; `<top>` with
`<num>`, `<title>`), or rows of JSON Lines, CSV, TSV or Parquet as BEIR's (`_id`, `title`, `text`). A line of judgements
is that of TREC, `question 0 document grade`, or of BEIR, `question document grade` under a header.
"""

import io
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

from ..memory.errors import PartError
from .delimited import whole
from .rows import cut, lines

XML = (".xml", ".sgml", ".trec")
"""Ends of names of files that are XML."""
NUMBER, TITLE, TEXT = "_id", "title", "text"
"""Columns of the others."""
ELEMENTS = {"docno": NUMBER, "num": NUMBER, "title": TITLE, "text": TEXT}
"""Elements of XML that are such columns."""


class Document(NamedTuple):
    """Something that may answer a question."""

    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title and text; a text that begins with its title has it already."""
        return self.text if self.text.startswith(self.title) else f"{self.title} {self.text}"


class Collection(NamedTuple):
    """Documents and questions by their numbers, which are texts, in the order of their files."""

    documents: Mapping[str, Document]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]
    """What people found, by question and document."""
    lost: int
    """Judgements of documents that are not there."""


def collect(documents: str, questions: str, judgements: str, *, by_place: bool = False) -> Collection:
    """Read three files.

    Args:
        documents: path of the documents.
        questions: path of the questions.
        judgements: path of the judgements.
        by_place: whether judgements name a question by its place in its file, from 1, and not by its number.

    Raises:
        PartError: one of them cannot be read, or a judgement is of no question, with its place.
    """
    held = {number: Document(title, text) for number, title, text in _texts(documents)}
    asked = {number: text or title for number, title, text in _texts(questions)}
    names = {str(at): number for at, number in enumerate(asked, start=1)} if by_place else {n: n for n in asked}
    grades: dict[str, dict[str, int]] = {number: {} for number in asked}
    lost = 0
    for line, question, document, grade in _judgements(judgements):
        if question not in names:
            way = "" if by_place else "; where judgements name questions by their place, set source.by_place = true"
            raise PartError(f"{judgements}:{line}: question {question!r} is not in {questions}{way}")
        if document in held:
            grades[names[question]][document] = grade
        else:
            lost += 1
    return Collection(held, asked, grades, lost)


def _texts(path: str) -> Iterator[tuple[str, str, str]]:
    """Give numbers, titles and texts, every number once and with one of both."""
    numbers = set[str]()
    read = _elements(path) if path.lower().endswith(XML) else lines(path)
    for place, values in read:
        number, title, text = (" ".join(str(values.get(name) or "").split()) for name in (NUMBER, TITLE, TEXT))
        if not number:
            raise PartError(f"{path}:{place} has no number; write it as {NUMBER!r}, or as <docno> or <num> in XML")
        if number in numbers:
            raise PartError(f"{path}:{place}: number {number!r} is there twice; give each a number of its own")
        numbers.add(number)
        yield number, title, text
    if not numbers:
        raise PartError(f"{path}: nothing in it; write a document or a question each, with its number")


def _elements(path: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give places, from 1, and what the elements of XML hold; there need not be one around them all."""
    try:
        text = whole(path)
        start = text.find("?>") + 2 if text.startswith("<?xml") else 0
        # what stands before is replaced by as many lines, so that a message names the right one
        before = "\n" * text.count("\n", 0, start)
        top = ElementTree.fromstring(f"{before}<all>{text[start:]}</all>")  # noqa: S314 -- a file of one's own
    except ElementTree.ParseError as error:
        raise PartError(f"{path}:{error.position[0]}: not XML: {error}; write <doc> or <top> elements") from None
    kinds = ("doc", "top")
    found = (element for element in top.iter() if element.tag.lower() in kinds)
    for place, element in enumerate(found, start=1):
        parts = ((ELEMENTS.get(part.tag.lower(), part.tag), "".join(part.itertext())) for part in element)
        yield place, dict(parts)


def _judgements(path: str) -> Iterator[tuple[int, str, str, int]]:
    """Give lines, from 1, and questions, documents and grades."""
    for line, said in enumerate(io.StringIO(whole(path), newline=None), start=1):
        cells = said.split()
        if not cells or (line == 1 and not _is_grade(cells[-1])):
            continue
        if len(cells) not in (3, 4) or not _is_grade(cells[-1]):
            raise PartError(
                f"{path}:{line}: {cut(said.strip())} is no judgement; write 'question 0 document grade', or "
                "'question document grade', with a whole number for the grade"
            )
        yield line, cells[0], cells[-2], int(cells[-1])


def _is_grade(text: str) -> bool:
    return text.lstrip("-").isdecimal() and text.isascii() and len(text) <= 4
