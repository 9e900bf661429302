# SPDX-License-Identifier: Apache-2.0
"""The natural loops of a function's control flow, however a compiler has laid out its blocks."""


def blocks(instructions):
    """The basic blocks as lists of instructions, and the successors of each as sets of indices.

    An instruction has an `address`, the `target` of a branch or None, and `falls_through`.
    """
    index = {one.address: i for i, one in enumerate(instructions)}
    starts = {0} | {index[one.target] for one in instructions if one.target in index}
    starts |= {i + 1 for i, one in enumerate(instructions)
               if one.target is not None or not one.falls_through}
    starts = sorted(start for start in starts if start < len(instructions))
    number = {start: i for i, start in enumerate(starts)}
    parts = [instructions[a:b] for a, b in zip(starts, [*starts[1:], len(instructions)])]
    successors = []
    for i, part in enumerate(parts):
        target = part[-1].target
        next_ = {number[index[target]]} if target in index else set()
        if part[-1].falls_through and i + 1 < len(parts):
            next_.add(i + 1)
        successors.append(next_)
    return parts, successors


def predecessors(successors):
    """Of the blocks that can be reached from the first one."""
    found, left = {0: set()}, [0]
    while left:
        block = left.pop()
        for next_ in successors[block]:
            if next_ not in found:
                found[next_] = set()
                left.append(next_)
            found[next_].add(block)
    return found


def dominators(before):
    """By block: the blocks that lie on every way to it, itself among them."""
    found = {block: set(before) for block in before}
    found[0] = {0}
    changed = True
    while changed:
        changed = False
        for block in sorted(before.keys() - {0}):
            new = set.intersection(*(found[one] for one in before[block])) | {block}
            changed |= new != found[block]
            found[block] = new
    return found


def natural_loops(successors):
    """By header: the blocks of the loop, and of these the ones that jump back to the header."""
    before = predecessors(successors)
    above = dominators(before)
    loops = {}
    for header in before:
        back = {block for block in before[header] if header in above[block]}
        if not back:
            continue
        body, left = {header}, list(back)
        while left:
            block = left.pop()
            if block not in body:
                body.add(block)
                left += before[block]
        loops[header] = body, back
    return loops
