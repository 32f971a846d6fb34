"""Tables of a report on depth."""

import csv

from hybrid_depth.depth_worth.tables import csv_table, markdown_table


def test_markdown(summary):
    lines = markdown_table(summary).splitlines()
    assert lines[2] == '| predicted | 0.200 | 0.100 to 0.400 | 0.100 | 0.100 to 0.200 |'
    (near,) = [line for line in lines if '0-10 m' in line]
    assert near == '| 0-10 m | 25.0 % | +5.0 (+5.0 to +5.0) | -6.0 (-6.0 to -6.0) |'
    assert '| car | 0.200 | 0.300 |' in lines
    assert '3 draws of 4 samples' in lines[-1]


def test_interval_of_a_loss_is_that_of_the_gain_turned(summary):
    summary['parts'][1]['missing']['mAP']['interval'] = [-1.0, 7.0]
    assert '-6.0 (-7.0 to +1.0)' in markdown_table(summary)


def test_csv(summary):
    rows = list(csv.DictReader(csv_table(summary).splitlines()))
    assert len(rows) == 5 * 2
    near = next(r for r in rows if r['name'] == '0-10 m' and r['score'] == 'mAP')
    assert round(float(near['there']), 6) == 5 and round(float(near['missing_high']), 6) == 6
    assert near['kind'] == 'range' and float(near['share']) == 0.25
