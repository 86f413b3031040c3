// SPDX-License-Identifier: Apache-2.0
#include "bench_texts.h"

#include <cstring>
#include <string_view>

namespace koe::cli {
namespace {

constexpr std::string_view kParagraphs[] = {
    "The ferry left the island at a quarter past six, and by then the harbour was already dark. A boy in a yellow coat "
    "stood at the rail with his grandmother's old radio under one arm, listening to a station that faded in and out as "
    "the hull turned into the wind. \"They say it will snow before Friday,\" he told nobody in particular. Nobody "
    "answered. Somewhere below them the engines changed their note, the lamps along the quay slid backwards, and the "
    "whole crowded, rattling, salt-stained vessel began to feel like a small town that had decided to move.",
    "Margaret had read the letter three times. The first time she read it standing, the second time she sat down, and "
    "the third time she wasn't sure that she had read anything at all; the words simply passed. It was from a lawyer "
    "in "
    "Edinburgh, it used the phrase \"residual estate\" twice, and it concerned an uncle whom she had met once, at a "
    "wedding, when she was nine. He'd taught her to whistle. That was all she could remember about him, and now, it "
    "seemed, she owned his house.",
    "Shares in the company fell 12.5% on Tuesday after it lowered its forecast for the second half of 2023. Revenue "
    "rose "
    "to $4.2 billion from $3.9 billion a year earlier, but net income dropped to $310 million, or 87 cents a share. "
    "Analysts had expected a profit of $1.02. \"We're disappointed, and we know that our shareholders are too,\" said "
    "the "
    "chief executive, Dr. Helen Okafor, in a conference call with investors. The firm, which employs about 27,000 "
    "people "
    "in 14 countries, will close two of its plants in Ohio and one near Lyon.",
    "Most spiders that build orb webs rebuild them every night. The old silk isn't wasted: the animal eats it, and "
    "within half an hour the proteins are back in the glands, ready to be spun again. Radioactive tracers have shown "
    "that "
    "more than ninety percent of the material is recycled in this way. What looks like housekeeping is therefore "
    "closer "
    "to bookkeeping, a nightly audit in which nothing is allowed to leave the accounts.",
    "Take two large onions, peel them and slice them thinly. Melt the butter in a heavy pan over a low heat, add the "
    "onions with a teaspoon of salt, and let them soften slowly for forty minutes, stirring now and then. Don't hurry "
    "them. When they're the colour of dark honey, pour in a glass of white wine and scrape up everything that has "
    "stuck. "
    "Add a litre and a half of stock, simmer for another 20 minutes, and serve it with toasted bread and plenty of "
    "Gruy\u00E8re.",
    "\"Who's there?\" The voice came from behind the partition, thin and rather cross. \"It's only me,\" I said; \"I'd "
    "thought that everyone had gone.\" There was a pause, then the scrape of a chair. \"Everyone has. I'm not "
    "everyone. "
    "Come in, if you must, and mind the cables - the blue ones are live, and I can't vouch for the green.\" I minded "
    "the "
    "cables. The room beyond was full of clocks, perhaps two hundred of them, and no two of them agreed.",
    "The committee's report, published on 3 March, makes seventeen recommendations. It asks that records be kept for "
    "at "
    "least ten years, that every object in the archive be photographed, and that the director present a detailed plan "
    "by the end of the year. Critics contend that the content of the proposals is thin. \"You can't perfect a system "
    "which nobody has ever used,\" one of them wrote in Nature, adding that the perfect is, as usual, the enemy of the "
    "good. The ministry has declined to comment.",
    "If you walk north from the old mill you'll come, after a mile or so, to a place where the path divides. The left "
    "branch climbs steeply through bracken and gorse towards the ridge; the right one follows the stream, crosses it "
    "by "
    "stepping-stones, and disappears into a wood of oak, ash and wild cherry. Both lead to the same village in the "
    "end. "
    "The first is shorter. The second is the one that people remember, and it's the one my father always chose, even "
    "in "
    "the rain, even in that last winter when he could barely manage the stile.",
    "Computers once filled rooms. In 1951 a machine with 5,600 vacuum tubes could add two numbers in about half a "
    "millisecond, drew as much power as a small street, and failed, on average, every few hours. The phone in your "
    "pocket "
    "does roughly 10 billion such additions each second, and it objects if you leave it on a warm windowsill. It's "
    "tempting to call this progress a miracle, but it was built by thousands of well-paid, badly-rested engineers, one "
    "patient improvement at a time.",
    "They wound the bandage round the wound, closed the close little room, and tried not to live in fear of a live "
    "wire. "
    "The soldier who'd chosen to desert in the desert had brought no dessert. He could lead if someone would get the "
    "lead "
    "out, and he did object to the object on the table: a row of invalid coupons for an invalid. Learning to read what "
    "others have read is a minute part of it, minute by minute.",
};

constexpr HostileText kHostileTexts[] = {
    {"[[[[", "["},    {"aaaa", "a"},          {"''''", "'"},
    {"7777", "7"},    {"----", "-"},          {"....", "."},
    {"$1$1", "$1"},   {"spaces", " "},        {"combining marks", "\u0301"},
    {"a'a'a'", "a'"}, {"http://", "http://"}, {"emoji", "\U0001F600"},
};

}  // namespace

std::string Prose(size_t bytes) {
  std::string prose;
  while (prose.size() < bytes) {
    for (const std::string_view paragraph : kParagraphs) {
      prose += paragraph;
      prose += '\n';
    }
  }
  return prose;
}

std::span<const HostileText> HostileTexts() { return kHostileTexts; }

std::string Repeat(const char* unit, size_t bytes) {
  const size_t size = std::strlen(unit);
  std::string text;
  text.reserve(bytes);
  while (text.size() + size <= bytes) text += unit;
  return text;
}

}  // namespace koe::cli
