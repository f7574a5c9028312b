/** Labelled sets that anybody may download: where they are, under which licence, and how their files are recognised. */

/** A hash of the file as it is downloaded, or of what is packed in it (mirrors pack the same numbers differently). */
export interface Checksum {
  readonly algorithm: "md5" | "sha256";
  readonly hex: string;
  readonly of: "file" | "unpacked";
}

export interface PublicFile {
  readonly name: string;
  /** The official place first, then mirrors. */
  readonly urls: readonly string[];
  readonly checksum?: Checksum;
}

export interface PublicSet {
  /** One line. */
  readonly summary: string;
  readonly licence: string;
  readonly cite: string;
  /** Where a person can read about it. */
  readonly page: string;
  readonly files: readonly PublicFile[];
  /** A list that the publisher keeps, of lines "md5  name". */
  readonly md5List?: string;
}

function files(names: readonly string[], places: readonly string[]): PublicFile[] {
  return names.map((name) => ({ name, urls: places.map((place) => `${place}${name}`) }));
}

const heidelbergPlaces = ["https://zenkelab.org/datasets/", "https://compneuro.net/datasets/"];
const heidelberg = {
  licence: "CC BY 4.0",
  cite: "Cramer, Stradmann, Schemmel, Zenke (2022), IEEE Trans. Neural Netw. Learn. Syst. 33, 2744-2757",
  page: "https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/",
  md5List: "https://zenkelab.org/datasets/md5sums.txt",
};

const mnistPlaces = [
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
];

/** SHA-256 of the unpacked files of 1998. */
const mnistHashes = {
  "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/** MD5 of the packed files, as the dataset's loaders in torchvision have them. */
const fashionHashes = {
  "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
  "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
  "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
  "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
};

const mendeley = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files/";

export const publicSets: Readonly<Record<string, PublicSet>> = {
  shd: {
    ...heidelberg,
    summary: "Spiking Heidelberg Digits: spoken digits in German and English, 700 channels, 20 classes",
    files: files(["shd_train.h5.gz", "shd_test.h5.gz"], heidelbergPlaces),
  },
  ssc: {
    ...heidelberg,
    summary: "Spiking Speech Commands: 35 spoken words, 700 channels",
    files: files(["ssc_train.h5.gz", "ssc_valid.h5.gz", "ssc_test.h5.gz"], heidelbergPlaces),
  },
  mnist: {
    summary: "MNIST: 70 000 images of handwritten digits, 28 x 28",
    licence: "commonly stated as CC BY-SA 3.0",
    cite: "LeCun, Bottou, Bengio, Haffner (1998), Proc. IEEE 86, 2278-2324",
    page: "http://yann.lecun.com/exdb/mnist/",
    files: files(Object.keys(mnistHashes), mnistPlaces).map((file) => {
      const hex = mnistHashes[file.name as keyof typeof mnistHashes];
      return { ...file, checksum: { algorithm: "sha256", hex, of: "unpacked" } };
    }),
  },
  "fashion-mnist": {
    summary: "Fashion-MNIST: 70 000 images of clothes, 28 x 28",
    licence: "MIT",
    cite: "Xiao, Rasul, Vollgraf (2017), arXiv:1708.07747",
    page: "https://github.com/zalandoresearch/fashion-mnist",
    files: files(Object.keys(fashionHashes), ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]).map(
      (file) => {
        const hex = fashionHashes[file.name as keyof typeof fashionHashes];
        return { ...file, checksum: { algorithm: "md5", hex, of: "file" } };
      },
    ),
  },
  nmnist: {
    summary: "N-MNIST: MNIST seen by a moving event camera, 34 x 34 x 2 channels",
    licence: "CC BY-SA 4.0",
    cite: "Orchard, Jayawant, Cohen, Thakor (2015), Front. Neurosci. 9:437",
    page: "https://www.garrickorchard.com/datasets/n-mnist",
    files: [
      {
        name: "Train.zip",
        urls: [`${mendeley}39c25547-014b-4137-a934-9d29fa53c7a0/file_downloaded`],
        checksum: { algorithm: "md5", hex: "20959b8e626244a1b502305a9e6e2031", of: "file" },
      },
      {
        name: "Test.zip",
        urls: [`${mendeley}05a4d654-7e03-4c15-bdfa-9bb2bcbea494/file_downloaded`],
        checksum: { algorithm: "md5", hex: "69ca8762b2fe404d9b9bad1103e97832", of: "file" },
      },
    ],
  },
};

/**
 * The command that downloads a file to where it is missed.
 * @returns null where no public set has a file of this name
 */
export function downloadCommand(path: string): string | null {
  const [file, ...folders] = path.split(/[/\\]/).reverse();
  const names = Object.keys(publicSets).filter((name) => publicSets[name].files.some((one) => one.name === file));
  if (names.length === 0) return null;
  // MNIST and Fashion-MNIST have files of the same names: the folder tells them apart, if anything does.
  const name = names.find((own) => own === folders[0]) ?? names[0];
  const folder = folders.reverse().join("/");
  const isDefault = folder === `data/${name}`;
  return `volley data get ${name}${isDefault ? "" : ` --to ${folder === "" ? "." : folder}`}`;
}
