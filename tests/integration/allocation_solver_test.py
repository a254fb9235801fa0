"""The allocation decision against an outside solver (HiGHS, a mixed-integer program of the same
question), on cases made from seeds. A failure names the seed and the case.

    allocation_solver_test.py --program DRIVER [--small N] [--middle N] [--large N] [--seed S]
"""

import argparse
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import outside_tools
import tap

FEWEST_SPLITS, LOWEST_COST = 2, 3

# Runs in the Python that has highspy: cases from standard input, [cost, bound] each to output.
OUTSIDE = r"""
import json, sys
import highspy
import numpy

def solve(case):
    strategy, _, split, _, sites, lines, seconds = case
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("time_limit", seconds)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.4)
    highs.setOptionValue("mip_feasibility_tolerance", 1e-9)
    infinite = highspy.kHighsInf

    def variable(cost, most):
        highs.addCol(float(cost), 0.0, float(most), 0, [], [])
        number = highs.getNumCol() - 1
        highs.changeColIntegrality(number, highspy.HighsVarType.kInteger)
        return number

    def row(least, most, columns, factors):
        highs.addRow(least, most, len(columns), numpy.array(columns, dtype=numpy.int32),
                     numpy.array(factors, dtype=float))

    penalty = 10 ** 6 if strategy == 2 else 0
    used = [variable(site[0] + split + penalty, 1) for site in sites]
    parcels = [variable(site[1], infinite) for site in sites]
    kilograms = [variable(site[2], infinite) for site in sites]
    pieces = {}
    for k, (quantity, weight, available) in enumerate(lines):
        needed = min(quantity, sum(available))
        for i, most in enumerate(available):
            if most > 0:
                pieces[i, k] = variable(0, min(most, needed))
                row(-infinite, 0, [pieces[i, k], used[i]], [1, -min(most, needed)])
        columns = [pieces[i, k] for i, most in enumerate(available) if most > 0]
        if columns:
            row(needed, needed, columns, [1] * len(columns))
    for i, site in enumerate(sites):
        mine = [k for k in range(len(lines)) if (i, k) in pieces]
        columns = [pieces[i, k] for k in mine]
        weights = [lines[k][1] for k in mine]
        row(-infinite, 0, columns + [parcels[i]], weights + [-site[3]])
        row(-infinite, 0, columns + [kilograms[i]], weights + [-1000])
        row(0, infinite, [parcels[i], used[i]], [1, -1])
    highs.run()
    info = highs.getInfo()
    values = highs.getSolution().col_value
    count = sum(round(values[column]) for column in used)
    proved = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return [round(info.objective_function_value) - split - penalty * count, count, proved]

for line in sys.stdin:
    print(json.dumps(solve(json.loads(line))), flush=True)
"""


def make_case(chance, sites_most, lines_most, strategy, seconds, work, exact_size=False):
    site_count = sites_most if exact_size else chance.randint(1, sites_most)
    line_count = lines_most if exact_size else chance.randint(1, lines_most)
    spread = chance.choice([4, 20, site_count])
    heavy = not exact_size and chance.random() < 0.3
    sites = [[chance.randint(0, 2000), chance.randint(0, 2000), chance.randint(0, 500),
              chance.choice([2500, 10000, 30000])] for _ in range(site_count)]
    lines = []
    for _ in range(line_count):
        quantity = chance.randint(1, 12 if heavy else 5)
        has = chance.sample(range(site_count), min(spread, site_count))
        most = quantity if chance.random() < 0.5 else 4 * quantity
        available = [chance.randint(1, most) if i in has else 0 for i in range(site_count)]
        lines.append([quantity, chance.randint(50, 5000 if heavy else 2000), available])
    return [strategy, 1, chance.choice([0, 100, 700]), work, sites, lines, seconds]


def as_text(case):
    strategy, partial, split, work, sites, lines, _ = case
    words = [strategy, partial, split, work, len(sites), len(lines)]
    for site in sites:
        words += site
    for quantity, weight, available in lines:
        words += [quantity, weight, *available]
    return " ".join(map(str, words))


def cost_of(case, quantities):
    _, _, split, _, sites, lines, _ = case
    cost, used = -split, 0
    for i, site in enumerate(sites):
        mine = quantities[i * len(lines):(i + 1) * len(lines)]
        weight = sum(pieces * line[1] for pieces, line in zip(mine, lines))
        if weight:
            used += 1
            cost += site[0] + split - (-weight // site[3]) * site[1] - (-weight // 1000) * site[2]
    return cost, used


def check_plan(case, quantities, cost, used):
    """The plan meets the lines from what there is, and costs what is said."""
    _, _, _, _, sites, lines, _ = case
    for k, (quantity, _, available) in enumerate(lines):
        mine = [quantities[i * len(lines) + k] for i in range(len(sites))]
        assert all(0 <= pieces <= most for pieces, most in zip(mine, available)), (k, mine)
        assert sum(mine) == min(quantity, sum(available)), (k, mine)
    assert cost_of(case, quantities) == (cost, used), (cost_of(case, quantities), cost, used)


def ours(cases):
    done = subprocess.run([arguments.program], input="\n".join(map(as_text, cases)) + "\n",
                          capture_output=True, text=True, check=True)
    answers = [list(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    return answers


def compare(cases, seed):
    python = outside_tools.python_with("highspy==1.16.0", "numpy==2.4.6")
    done = subprocess.run([python, "-c", OUTSIDE], input="\n".join(map(json.dumps, cases)) + "\n",
                          capture_output=True, text=True, check=True)
    theirs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(theirs) == len(cases), done.stderr
    proved = 0
    for number, (case, mine, (cost, used, is_proved)) in enumerate(zip(cases, ours(cases), theirs)):
        where = f"seed {seed} case {number}: ours {mine[:5]}, HiGHS {cost} with {used} sites"
        assert mine[0] == 0, where
        _, optimal, total, gap, sites = mine[:5]
        check_plan(case, mine[5:], total, sites)
        proved += optimal
        is_fewest = case[0] == FEWEST_SPLITS
        if optimal and is_fewest:
            assert (sites, total) <= (used, cost), where
        elif optimal:
            assert total <= cost, where
        if is_proved and optimal:
            assert total == cost and (not is_fewest or sites == used), where
        if not is_fewest or sites == used:
            assert cost >= total - gap, f"{where}: below our bound"
    print(f"# seed {seed}: {len(cases)} cases, {proved} proved by us,"
          f" {sum(one[2] for one in theirs)} by HiGHS")


def make_cases(seed, count, *size, **more):
    chance = random.Random(seed)
    return [make_case(chance, *size, **more) for _ in range(count)]


def small_cases_cost_what_the_outside_solver_says():
    seed = arguments.seed
    compare(make_cases(seed, arguments.small, 5, 5, LOWEST_COST, 10, 2000000), seed)


def fewest_splits_are_as_few_and_cost_the_same():
    seed = arguments.seed + 1
    compare(make_cases(seed, arguments.small // 2, 6, 6, FEWEST_SPLITS, 10, 2000000), seed)


def cases_up_to_16_by_20_cost_what_the_outside_solver_says():
    seed = arguments.seed + 2
    compare(make_cases(seed, arguments.middle, 16, 20, LOWEST_COST, 5, 200000), seed)


def cases_of_91_by_100_are_within_the_gap():
    seed = arguments.seed + 3
    compare(make_cases(seed, arguments.large, 91, 100, LOWEST_COST, 8, 200000, exact_size=True),
            seed)


parser = argparse.ArgumentParser()
parser.add_argument("--program", default=os.environ.get("ALLOCATION_DRIVER"))
parser.add_argument("--small", type=int, default=600)
parser.add_argument("--middle", type=int, default=12)
parser.add_argument("--large", type=int, default=1)
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()
sys.argv[1:] = []  # tap takes names of cases from there
tap.run([small_cases_cost_what_the_outside_solver_says, fewest_splits_are_as_few_and_cost_the_same,
         cases_up_to_16_by_20_cost_what_the_outside_solver_says, cases_of_91_by_100_are_within_the_gap])
