# SPDX-License-Identifier: Apache-2.0
"""Many instruction words through llvm-mc, one answer for each."""
import struct
import subprocess

TOOL = "llvm-mc-21"
BATCH = 20000


END = 0xbf807fff  # s_nop, behind an instruction


def marker(index):
    return 0xbf808000 | index  # s_nop


def bracketed(words):
    """An atomic block: LLVM drops the rest of it where it does not take its beginning."""
    return "[" + ",".join(f"0x{byte:02x}" for byte in struct.pack(f"<{len(words)}I", *words)) + "]"


def run_batch(target, instructions):
    """(text, bytes) of each, or None; None in all where LLVM crashed."""
    lines = []
    for index, words in enumerate(instructions):
        lines += [bracketed([*words, END]), bracketed([marker(index)])]
    done = subprocess.run([TOOL, "--disassemble", "--show-encoding", "-triple=amdgcn-amd-amdhsa",
                           f"-mcpu={target}"], input="\n".join(lines), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        return None
    answers, printed = [], []
    for line in done.stdout.splitlines():
        text, _, encoding = line.partition("; encoding: ")
        encoding = encoding.replace(" ", "")
        if encoding != bracketed([marker(len(answers))]):
            printed.append((" ".join(text.split()), encoding))
            continue
        # The encoding that is printed need not be the one that was read: what follows it tells.
        is_whole = len(printed) == 2 and printed[1][1] == bracketed([END])
        length = 4 * len(instructions[len(answers)]) if is_whole else 0
        answers.append((printed[0][0], length) if printed else None)
        printed = []
    if len(answers) != len(instructions):
        raise RuntimeError(f"{TOOL} answered {len(answers)} of {len(instructions)}")
    return answers


def find_answers(target, instructions, crashes):
    answers = run_batch(target, instructions)
    if answers is not None:
        return answers
    if len(instructions) == 1:
        crashes.append(instructions[0])
        return [None]
    middle = len(instructions) // 2
    return (find_answers(target, instructions[:middle], crashes) +
            find_answers(target, instructions[middle:], crashes))


def disassemble_with_length(target, instructions, crashes):
    """(text, bytes) of each list of words, None for what is no instruction; 0 bytes where LLVM did
    not read exactly these words. Those it crashes on are appended to `crashes`."""
    answers = []
    for begin in range(0, len(instructions), BATCH):
        answers += find_answers(target, instructions[begin:begin + BATCH], crashes)
    return answers


def disassemble(target, instructions):
    return [answer and answer[0]
            for answer in disassemble_with_length(target, instructions, [])]
