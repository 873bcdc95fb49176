# Homebrew on Linux. packaging/fill puts in what stands between @.
class Boxwright < Formula
  desc "Build a Linux container by hand, one system call at a time"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on :linux

  on_intel do
    url "@REPOSITORY@/releases/download/v@VERSION@/boxwright-@VERSION@-x86_64-linux.tar.gz"
    sha256 "@SHA256_X86_64@"
  end
  on_arm do
    url "@REPOSITORY@/releases/download/v@VERSION@/boxwright-@VERSION@-aarch64-linux.tar.gz"
    sha256 "@SHA256_AARCH64@"
  end

  def install
    bin.install "boxwright"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/boxwright.bash" => "boxwright"
    zsh_completion.install "completions/boxwright.zsh" => "_boxwright"
    fish_completion.install "completions/boxwright.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/boxwright --version")
    system bin/"boxwright", "lessons", "check"
  end
end
