//! A page in Markdown that somebody follows, block by block.

/// A block of a page: commands, or a file.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    language: &'a str,
    text: &'a str,
}

impl<'a> Block<'a> {
    /// Returns the blocks after this heading, up to the next one of the same level.
    pub fn all_after(page: &'a str, heading: &str) -> Vec<Self> {
        let (_, rest) = page.split_once(&format!("\n{heading}\n")).unwrap();
        let marks = heading.split(' ').next().unwrap();
        let section = rest.split(&format!("\n{marks} ")).next().unwrap();
        // Fences come in pairs, so what is between them is at the odd places.
        let fenced = section.split("\n```").skip(1).step_by(2);
        fenced
            .map(|block| block.split_once('\n').unwrap())
            .map(|(language, text)| Self { language, text })
            .collect()
    }

    /// Returns what is in the block.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Returns what a person does with the block, for a shell: runs it, or writes a file, whose first line says where it goes.
    pub fn step(self) -> String {
        let (before, after) = match self.language {
            "sh" => return format!("{}\n", self.text),
            "rust" => ("// ", ""),
            "toml" => ("# ", ""),
            "jinja" => ("{# ", " -#}"),
            other => panic!("a block in {other:?} is neither commands nor a file"),
        };
        let first = self.text.lines().next().unwrap();
        let path = first.strip_prefix(before).and_then(|path| path.strip_suffix(after));
        let path = path.unwrap_or_else(|| panic!("{first:?} does not say where it goes"));
        format!("mkdir -p $(dirname {path}); cat > {path} <<'END-OF-FILE'\n{}\nEND-OF-FILE\n", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_of_a_section_are_steps() {
        let page = "# Page\n## Before\n```sh\nno\n```\n## Here\ntext\n```sh\nls\n```\n### Still\n```toml\n# a/b.toml\nx = 1\n```\n## After\n```sh\nno\n```\n";
        let steps: Vec<_> = Block::all_after(page, "## Here").into_iter().map(Block::step).collect();
        let file =
            "mkdir -p $(dirname a/b.toml); cat > a/b.toml <<'END-OF-FILE'\n# a/b.toml\nx = 1\nEND-OF-FILE\n";
        assert_eq!(steps, ["ls\n", file]);
    }
}
