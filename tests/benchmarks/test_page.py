from evolvent.benchmarks.bench.page import PAGE, page


def test_the_page_of_the_laboratory_says_what_the_results_say() -> None:
    assert PAGE.read_text() == page(), "write it again with `evolvent bench --page`"
