# nixpkgs: `nix-build -E 'with import <nixpkgs> { }; callPackage ./package.nix { }'`. packaging/fill puts in what stands
# between @.
{ lib, stdenv, fetchurl, installShellFiles }:

stdenv.mkDerivation rec {
  pname = "boxwright";
  version = "@VERSION@";

  src = fetchurl {
    url = "@REPOSITORY@/releases/download/v${version}/boxwright-${version}-${stdenv.hostPlatform.parsed.cpu.name}-linux.tar.gz";
    sha256 = {
      x86_64-linux = "@SHA256_X86_64@";
      aarch64-linux = "@SHA256_AARCH64@";
    }.${stdenv.hostPlatform.system} or (throw "boxwright is for x86-64 and aarch64");
  };

  nativeBuildInputs = [ installShellFiles ];
  dontConfigure = true;
  dontBuild = true;
  dontStrip = true;

  installPhase = ''
    install -Dm755 boxwright -t $out/bin
    installManPage man/*.1
    installShellCompletion --cmd boxwright --bash completions/boxwright.bash \
      --zsh completions/boxwright.zsh --fish completions/boxwright.fish
  '';

  doInstallCheck = true;
  installCheckPhase = "$out/bin/boxwright lessons check";

  meta = {
    description = "Build a Linux container by hand, one system call at a time";
    homepage = "@REPOSITORY@";
    license = with lib.licenses; [ mit asl20 ];
    platforms = [ "x86_64-linux" "aarch64-linux" ];
    mainProgram = "boxwright";
  };
}
