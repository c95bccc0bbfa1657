from pathlib import Path

from evolvent.memory.records import Fate, Sample, Task

from .desks import make_desk


def make_sample(round: int) -> Sample:
    task = Task(skill="multiply", prompt=f"{round}*2", answer="?", key=f"multiply:{round},2")
    return Sample(task=task, arm="targeted", round=round, weakness=None, teacher="program", recipe="")


def test_data_that_a_person_refused_is_never_trained_on(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    samples = [make_sample(1), make_sample(2)]
    fates = [Fate(sample=s.id, round=s.round, kept=True, reason="kept") for s in samples]
    desk.ledger.intend("curate", "curate", 1)
    desk.ledger.commit("curate", {}, [*samples, *fates], 0.0, meta={})
    assert desk.kept() == sorted(samples, key=lambda s: s.id)
    desk.ledger.intend("review", "review", 1)
    desk.ledger.commit("review", {"approved": False}, [], 0.0, meta={})
    assert desk.kept() == [samples[1]]
    desk.close()
