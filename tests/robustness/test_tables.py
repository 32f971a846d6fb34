import csv
import io

from hybrid_depth.robustness.tables import csv_table, markdown_table
from tests.robustness.test_report import ROWS


def test_csv_has_every_row(reports):
    lines = list(csv.DictReader(io.StringIO(csv_table(reports))))
    assert len(lines) == len(ROWS) + 4
    fog = next(x for x in lines if x['name'] == 'fog' and x['strength'] == '2')
    assert (fog['report'], float(fog['NDS']), float(fog['mAP'])) == ('hybrid', 0.2, 0.1)
    assert lines[-1]['report'] == 'mono' and lines[-1]['NDS'] == ''


def test_markdown_has_scores_and_resilience(reports):
    table = markdown_table(reports)
    assert '| fog | 2 | 0.2000 | 0.1000 | 0.1000 | 0.2000 |' in table
    assert '| extrinsics | 2° | 0.2000' in table
    assert '| condition | hybrid, NDS | hybrid, depth | mono, depth |' in table
    assert '| fog | 50.0 |' in table and '| snow | 100.0 | 100.0 | - |' in table
    assert "| mean of RoboBEV's (number) | 75.0 (2) |" in table
